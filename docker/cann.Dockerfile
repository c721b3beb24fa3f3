# convertkit beside CANN, where `build` goes on to model.om. Never built: neither docker nor CANN was within reach.
# CANN's own images are named CANN-CHIP-SYSTEM-pyVERSION; take one for your chip with Python 3.10 or later.
#
#   docker build --file docker/cann.Dockerfile --build-arg CANN_IMAGE=... --tag convertkit-cann .
#   docker run --rm --volume "$PWD:/work" convertkit-cann build mydetector --target ascend310p3
#
# To run a model on a chip, hand the container its devices as well, as Ascend's documentation of docker has it.
ARG CANN_IMAGE
FROM ${CANN_IMAGE}
COPY . /source
RUN python3 -m pip install --no-cache-dir /source && rm -rf /source
WORKDIR /work
ENTRYPOINT ["convertkit"]
