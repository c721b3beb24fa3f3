// Draws what the model finds in a photo:  ./sample PHOTO PICTURE  where model.om and sample.json are. Made by
//   g++ -std=c++17 -I$ASCEND_TOOLKIT_HOME/include sample.cpp -o sample -L$ASCEND_TOOLKIT_HOME/lib64 -lascendcl
//       $(pkg-config --cflags --libs opencv4)
// Never seen on hardware: it was compiled and run with stand-ins for AscendCL and OpenCV only. Masks are resized by
// OpenCV, so pixels at their edges may differ from those of sample.py.
#include <acl/acl.h>
#include <opencv2/opencv.hpp>
#include <algorithm>
#include <cstring>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

void check(aclError code, const char *call) {
    if (code != ACL_SUCCESS) throw std::runtime_error(std::string(call) + " returned " + std::to_string(code));
}
#define ACL(call) check(call, #call)

void *add(aclmdlDataset *set, size_t size) {  // a buffer on the chip
    void *place = nullptr;
    ACL(aclrtMalloc(&place, size, ACL_MEM_MALLOC_HUGE_FIRST));
    ACL(aclmdlAddDatasetBuffer(set, aclCreateDataBuffer(place, size)));
    return place;
}

template <class T> std::vector<float> as(const std::vector<char> &bytes) {
    const T *first = reinterpret_cast<const T *>(bytes.data());
    return {first, first + bytes.size() / sizeof(T)};
}

struct Output {
    std::vector<float> values;
    std::vector<int64_t> dims;
};
using Feeds = std::vector<std::pair<std::string, std::vector<char>>>;

// Inputs by name where the compiler kept it, else by their order, which is that of the graph; so are the outputs.
std::vector<Output> run(const char *model, const Feeds &feeds) {
    uint32_t id = 0;
    ACL(aclInit(nullptr));
    ACL(aclrtSetDevice(0));
    ACL(aclmdlLoadFromFile(model, &id));
    aclmdlDesc *desc = aclmdlCreateDesc();
    ACL(aclmdlGetDesc(desc, id));
    aclmdlDataset *in = aclmdlCreateDataset(), *out = aclmdlCreateDataset();
    for (size_t i = 0; i < aclmdlGetNumInputs(desc); ++i) {
        const std::string name = aclmdlGetInputNameByIndex(desc, i);
        const auto named = std::find_if(feeds.begin(), feeds.end(), [&](auto &one) { return one.first == name; });
        const std::vector<char> &data = named == feeds.end() ? feeds.at(i).second : named->second;
        const size_t size = aclmdlGetInputSizeByIndex(desc, i);
        if (data.size() != size) throw std::runtime_error("input " + name + " has another size");
        ACL(aclrtMemcpy(add(in, size), size, data.data(), size, ACL_MEMCPY_HOST_TO_DEVICE));
    }
    for (size_t i = 0; i < aclmdlGetNumOutputs(desc); ++i) add(out, aclmdlGetOutputSizeByIndex(desc, i));
    ACL(aclmdlExecute(id, in, out));
    std::vector<Output> found;
    for (size_t i = 0; i < aclmdlGetNumOutputs(desc); ++i) {
        std::vector<char> data(aclmdlGetOutputSizeByIndex(desc, i));
        const void *place = aclGetDataBufferAddr(aclmdlGetDatasetBuffer(out, i));
        ACL(aclrtMemcpy(data.data(), data.size(), place, data.size(), ACL_MEMCPY_DEVICE_TO_HOST));
        const aclDataType type = aclmdlGetOutputDataType(desc, i);
        if (type != ACL_FLOAT && type != ACL_INT32 && type != ACL_INT64)
            throw std::runtime_error("an output is neither float32, int32 nor int64");
        aclmdlIODims dims;
        ACL(aclmdlGetOutputDims(desc, i, &dims));
        found.push_back({type == ACL_FLOAT ? as<float>(data) : type == ACL_INT32 ? as<int32_t>(data) : as<int64_t>(data),
                         {dims.dims, dims.dims + dims.dimCount}});
    }
    for (aclmdlDataset *set : {in, out}) {
        for (size_t i = 0; i < aclmdlGetDatasetNumBuffers(set); ++i) {
            aclDataBuffer *buffer = aclmdlGetDatasetBuffer(set, i);
            ACL(aclrtFree(aclGetDataBufferAddr(buffer)));
            ACL(aclDestroyDataBuffer(buffer));
        }
        ACL(aclmdlDestroyDataset(set));
    }
    ACL(aclmdlDestroyDesc(desc));
    ACL(aclmdlUnload(id));
    ACL(aclrtResetDevice(0));
    ACL(aclFinalize());
    return found;
}

int main(int count, char **words) try {
    const cv::FileStorage at("sample.json", cv::FileStorage::READ);
    cv::Mat photo = count == 3 ? cv::imread(words[1]) : cv::Mat();
    if (photo.empty() || !at.isOpened()) throw std::runtime_error("./sample PHOTO PICTURE, where sample.json is");
    const int rows = at["size"][0], columns = at["size"][1], batch = at["batch"];
    const double scale = std::min(columns / double(photo.cols), rows / double(photo.rows)), half = at["rounding"];
    const int w = std::max(1, int(photo.cols * scale + half)), h = std::max(1, int(photo.rows * scale + half));
    const bool centred = std::string(at["placement"]) == "center", planes = int(at["axes"][0]) == 2;
    const int left = centred ? (columns - w) / 2 : 0, top = centred ? (rows - h) / 2 : 0;
    const bool raw = at["mean"].size() == 0;  // the chip normalises the photo's own bytes
    if (std::string(at["dtype"]) != (raw ? "uint8" : "float32")) throw std::runtime_error("the input is not float32");
    cv::Mat image;
    cv::resize(photo, image, cv::Size(w, h));
    std::vector<char> one(size_t(rows) * columns * 3 * (raw ? 1 : sizeof(float))), all;
    for (int c = 0; c < 3; ++c) {
        const double mean = raw ? 0 : double(at["mean"][c]), factor = raw ? 1 : double(at["factor"][c]);
        const int channel = raw ? c : int(at["channels"][c]);
        for (int y = 0; y < rows; ++y)
            for (int x = 0; x < columns; ++x) {
                const bool inside = y >= top && y < top + h && x >= left && x < left + w;
                const float value = inside ? float(float(image.ptr<uchar>(y - top)[3 * (x - left) + channel] - mean) * factor)
                                           : float(at["padding"][c]);
                const size_t place = planes ? (size_t(c) * rows + y) * columns + x : (size_t(y) * columns + x) * 3 + c;
                if (raw) one[place] = char(uchar(value));
                else std::memcpy(&one[place * sizeof(float)], &value, sizeof(float));
            }
    }
    const float corners[] = {float(left), float(top), float(left + w), float(top + h)};
    std::vector<char> picture;
    for (int b = 0; b < batch; ++b) {
        all.insert(all.end(), one.begin(), one.end());
        picture.insert(picture.end(), (const char *)corners, (const char *)corners + sizeof(corners));
    }
    const std::vector<Output> outputs = run(std::string(at["model"]).c_str(), {{at["input"], all}, {"picture", picture}});
    std::map<std::string, const Output *> have;
    for (size_t i = 0; i < outputs.size(); ++i) have[at["roles"][int(i)]] = &outputs[i];
    std::map<std::string, size_t> column;
    for (size_t i = 0; i < at["columns"].size(); ++i) column[at["columns"][int(i)]] = i;
    const std::vector<float> &cells = have.at("rows")->values;
    size_t things = cells.size() / column.size() / batch;
    if (have.count("count")) things = std::min(things, size_t(have["count"]->values.at(0)));
    for (size_t i = 0; i < things; ++i) {
        const auto cell = [&](const char *name) { return cells[i * column.size() + column.at(name)]; };
        const float score = column.count("score") ? cell("score") : have.at("scores")->values.at(i);
        if (!(score > std::max(0.3, double(at["score_threshold"])))) continue;
        const int label = have.count("labels") ? int(have["labels"]->values.at(i)) : column.count("label") ? int(cell("label")) : 0;
        float x = column.count("x1") ? cell("x1") : cell("cx") - cell("w") / 2, right = column.count("w") ? x + cell("w") : cell("x2");
        float y = column.count("y1") ? cell("y1") : cell("cy") - cell("h") / 2, bottom = column.count("h") ? y + cell("h") : cell("y2");
        x = (x - left) * photo.cols / w, right = (right - left) * photo.cols / w;
        y = (y - top) * photo.rows / h, bottom = (bottom - top) * photo.rows / h;
        const cv::Rect box(int(x), int(y), std::max(1, int(right - x)), std::max(1, int(bottom - y)));
        if (have.count("masks")) {
            const Output &masks = *have["masks"];  // (N, h, w) or (N, classes, h, w)
            const int side = int(masks.dims.at(masks.dims.size() - 2)), across = int(masks.dims.back());
            const size_t all_of_one = masks.values.size() / batch / (cells.size() / column.size() / batch);
            const size_t classes = all_of_one / (size_t(side) * across), chosen = classes > 1 ? size_t(label) : 0;
            cv::Mat mask(side, across, CV_32F), pasted;
            std::memcpy(mask.data, &masks.values.at(i * all_of_one + chosen * side * across), sizeof(float) * side * across);
            cv::resize(mask, pasted, cv::Size(box.width, box.height));
            for (int v = std::max(0, -box.y); v < std::min(box.height, photo.rows - box.y); ++v)
                for (int u = std::max(0, -box.x); u < std::min(box.width, photo.cols - box.x); ++u)
                    if (pasted.ptr<float>(v)[u] >= double(at["mask_threshold"]))
                        for (int c = 0; c < 3; ++c) photo.ptr<uchar>(box.y + v)[3 * (box.x + u) + c] /= 2;
        }
        const std::string name = size_t(label) < at["classes"].size() ? std::string(at["classes"][label]) : "class " + std::to_string(label);
        cv::rectangle(photo, box, cv::Scalar(0, 160, 255), 2);
        cv::putText(photo, name + " " + std::to_string(score).substr(0, 4), cv::Point(box.x, box.y + 12), cv::FONT_HERSHEY_SIMPLEX, 0.45, cv::Scalar(0, 160, 255));
        std::cout << name << " " << score << " " << x << " " << y << " " << right << " " << bottom << "\n";
    }
    return cv::imwrite(words[2], photo) ? 0 : 1;
} catch (const std::exception &error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
}
