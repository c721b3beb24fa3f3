# convertkit with the CPU target. Never built: no docker daemon was within reach; its one step of weight is tested
# without docker (tests/test_packaging.py installs the wheel into an empty environment).
#
#   docker build --file docker/cpu.Dockerfile --tag convertkit .
#   docker run --rm --volume "$PWD:/work" convertkit lint model.onnx --target ascend310p3
FROM python:3.11-slim
COPY . /source
RUN python -m pip install --no-cache-dir /source && rm -rf /source
RUN useradd --create-home convertkit
USER convertkit
WORKDIR /work
ENTRYPOINT ["convertkit"]
