// A stand-in for OpenCV: what sample.cpp calls of it. Pictures are binary PPM, resizing takes the nearest pixel.
#pragma once
#include <cctype>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

typedef unsigned char uchar;
#define CV_32F 5
#define CV_8UC3 16

namespace cv {
struct Size {
    int width, height;
    Size(int w, int h) : width(w), height(h) {}
};
struct Point {
    int x, y;
    Point(int x_, int y_) : x(x_), y(y_) {}
};
struct Rect {
    int x, y, width, height;
    Rect(int x_, int y_, int w, int h) : x(x_), y(y_), width(w), height(h) {}
};
struct Scalar {
    double value[4];
    Scalar(double a, double b, double c) : value{a, b, c, 0} {}
};
enum { FONT_HERSHEY_SIMPLEX = 0 };

class Mat {
   public:
    int rows = 0, cols = 0;
    uchar *data = nullptr;
    Mat() = default;
    Mat(int r, int c, int type) : rows(r), cols(c), bytes(type == CV_32F ? 4 : 3), held(new std::vector<uchar>(size_t(r) * c * bytes)) {
        data = held->data();
    }
    bool empty() const { return data == nullptr; }
    template <class T> T *ptr(int row) { return reinterpret_cast<T *>(data + size_t(row) * cols * bytes); }
    int bytes = 3;

   private:
    std::shared_ptr<std::vector<uchar>> held;
};

inline Mat imread(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    std::string kind;
    int width = 0, height = 0, most = 0;
    if (!(file >> kind >> width >> height >> most) || kind != "P6") return {};
    file.get();
    Mat found(height, width, CV_8UC3);
    file.read(reinterpret_cast<char *>(found.data), std::streamsize(width) * height * 3);
    for (int i = 0; i < width * height; ++i) std::swap(found.data[3 * i], found.data[3 * i + 2]);
    return found;
}
inline bool imwrite(const std::string &path, const Mat &picture) {
    std::ofstream file(path, std::ios::binary);
    file << "P6\n" << picture.cols << " " << picture.rows << "\n255\n";
    for (int i = 0; i < picture.cols * picture.rows; ++i)
        for (int c : {2, 1, 0}) file.put(char(picture.data[3 * i + c]));
    return bool(file);
}
inline void resize(Mat &from, Mat &to, Size size) {
    to = Mat(size.height, size.width, from.bytes == 4 ? CV_32F : CV_8UC3);
    for (int y = 0; y < to.rows; ++y)
        for (int x = 0; x < to.cols; ++x)
            std::memcpy(to.ptr<uchar>(y) + x * to.bytes,
                        from.ptr<uchar>(y * from.rows / to.rows) + x * from.cols / to.cols * from.bytes, size_t(to.bytes));
}
inline void rectangle(Mat &, Rect, Scalar, int) {}
inline void putText(Mat &, const std::string &, Point, int, double, Scalar) {}

class FileNode {
   public:
    std::string text;
    double number = 0;
    std::vector<FileNode> items;
    std::map<std::string, FileNode> named;
    size_t size() const { return items.size(); }
    FileNode operator[](int index) const { return items.at(size_t(index)); }
    FileNode operator[](const char *name) const { return named.at(name); }
    operator int() const { return int(number); }
    operator float() const { return float(number); }
    operator double() const { return number; }
    operator std::string() const { return text; }
};

class FileStorage {  // JSON: objects, lists, texts without escapes, numbers
   public:
    enum { READ = 0 };
    FileStorage(const std::string &path, int) {
        std::ifstream file(path);
        rest.assign(std::istreambuf_iterator<char>(file), {});
        if (!rest.empty()) top = value();
    }
    bool isOpened() const { return !top.named.empty(); }
    FileNode operator[](const char *name) const { return top[name]; }

   private:
    std::string rest;
    size_t at = 0;
    FileNode top;
    char next() {
        while (std::isspace(static_cast<uchar>(rest.at(at)))) ++at;
        return rest.at(at);
    }
    FileNode value() {
        FileNode found;
        if (const char first = next(); first == '{' || first == '[') {
            for (++at; next() != '}' && next() != ']';) {
                if (next() == ',' && ++at) continue;
                if (first == '[') {
                    found.items.push_back(value());
                    continue;
                }
                const std::string name = value().text;
                if (next() != ':') throw std::runtime_error("no JSON");
                ++at;
                found.named[name] = value();
            }
            ++at;
        } else if (first == '"') {
            const size_t end = rest.find('"', at + 1);
            found.text = rest.substr(at + 1, end - at - 1);
            at = end + 1;
        } else {
            size_t length = 0;
            found.number = std::stod(rest.substr(at), &length);
            at += length;
        }
        return found;
    }
};
}  // namespace cv
