// A stand-in for AscendCL: what sample.cpp calls of it, declared as CANN's acl.h does (hicann/ge, inc/external/acl).
// Nothing is computed: order, arguments and what is left over are checked, inputs are kept, outputs come from files.
//
// model.om is a text: `input NAME BYTES` and `output TYPE FILE DIM ...`, a line each.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

typedef int aclError;
typedef enum { ACL_FLOAT = 0, ACL_FLOAT16 = 1, ACL_INT32 = 3, ACL_INT64 = 9 } aclDataType;
typedef enum { ACL_MEM_MALLOC_HUGE_FIRST, ACL_MEM_MALLOC_HUGE_ONLY, ACL_MEM_MALLOC_NORMAL_ONLY } aclrtMemMallocPolicy;
typedef enum { ACL_MEMCPY_HOST_TO_HOST, ACL_MEMCPY_HOST_TO_DEVICE, ACL_MEMCPY_DEVICE_TO_HOST } aclrtMemcpyKind;
static const aclError ACL_SUCCESS = 0;
#define ACL_MAX_DIM_CNT 128
typedef struct aclmdlIODims {
    char name[128];
    size_t dimCount;
    int64_t dims[ACL_MAX_DIM_CNT];
} aclmdlIODims;

struct aclDataBuffer {
    void *data;
    size_t size;
};
struct aclmdlDataset {
    std::vector<aclDataBuffer *> buffers;
};
struct StandInTensor {
    std::string name, file;
    size_t size;
    aclDataType type;
    std::vector<int64_t> dims;
};
struct aclmdlDesc {
    std::vector<StandInTensor> inputs, outputs;
};

namespace stand_in {
inline std::string state = "new";  // new -> on -> device -> loaded -> device -> on -> off
inline aclmdlDesc model;
inline std::map<void *, size_t> memory;  // on the device, with sizes
inline std::set<const void *> made;      // descriptions, datasets, buffers
inline int runs = 0;

inline void demand(bool holds, const char *what) {
    if (!holds) {
        std::fprintf(stderr, "stand-in: %s (state %s)\n", what, state.c_str());
        std::abort();
    }
}
inline void go(const char *from, const char *to) {
    demand(state == from, to);
    state = to;
}
inline void gone(const void *thing) { demand(made.erase(thing) == 1, "destroyed twice, or never made"); }
}  // namespace stand_in

inline aclError aclInit(const char *) { return stand_in::go("new", "on"), ACL_SUCCESS; }
inline aclError aclrtSetDevice(int32_t device) {
    stand_in::demand(device == 0, "there is one device");
    return stand_in::go("on", "device"), ACL_SUCCESS;
}
inline aclError aclrtResetDevice(int32_t) {
    stand_in::demand(stand_in::memory.empty(), "memory is left on the device");
    return stand_in::go("device", "on"), ACL_SUCCESS;
}
inline aclError aclFinalize() {
    stand_in::demand(stand_in::made.empty() && stand_in::runs == 1, "something is left, or nothing was run");
    return stand_in::go("on", "off"), ACL_SUCCESS;
}
inline aclError aclmdlLoadFromFile(const char *path, uint32_t *id) {
    std::ifstream file(path);
    if (!file) return 500002;
    stand_in::go("device", "loaded");
    for (std::string line, kind; std::getline(file, line);) {
        std::istringstream words(line);
        StandInTensor tensor{};
        if (words >> kind; kind == "input") {
            words >> tensor.name >> tensor.size;
            stand_in::model.inputs.push_back(tensor);
            continue;
        }
        int type = 0;
        words >> type >> tensor.file;
        tensor.type = aclDataType(type);
        tensor.size = type == ACL_INT64 ? 8 : 4;
        for (int64_t dim; words >> dim; tensor.size *= size_t(dim)) tensor.dims.push_back(dim);
        stand_in::model.outputs.push_back(tensor);
    }
    *id = 7;
    return ACL_SUCCESS;
}
inline aclError aclmdlUnload(uint32_t id) {
    stand_in::demand(id == 7, "no such model");
    return stand_in::go("loaded", "device"), ACL_SUCCESS;
}
inline aclmdlDesc *aclmdlCreateDesc() {
    auto *desc = new aclmdlDesc;
    return stand_in::made.insert(desc), desc;
}
inline aclError aclmdlDestroyDesc(aclmdlDesc *desc) {
    stand_in::gone(desc);
    return delete desc, ACL_SUCCESS;
}
inline aclError aclmdlGetDesc(aclmdlDesc *desc, uint32_t id) {
    stand_in::demand(id == 7 && stand_in::state == "loaded", "no such model");
    return *desc = stand_in::model, ACL_SUCCESS;
}
inline size_t aclmdlGetNumInputs(aclmdlDesc *desc) { return desc->inputs.size(); }
inline size_t aclmdlGetNumOutputs(aclmdlDesc *desc) { return desc->outputs.size(); }
inline size_t aclmdlGetInputSizeByIndex(aclmdlDesc *desc, size_t index) { return desc->inputs.at(index).size; }
inline size_t aclmdlGetOutputSizeByIndex(aclmdlDesc *desc, size_t index) { return desc->outputs.at(index).size; }
inline const char *aclmdlGetInputNameByIndex(const aclmdlDesc *desc, size_t index) {
    return desc->inputs.at(index).name.c_str();
}
inline aclDataType aclmdlGetOutputDataType(const aclmdlDesc *desc, size_t index) { return desc->outputs.at(index).type; }
inline aclError aclmdlGetOutputDims(const aclmdlDesc *desc, size_t index, aclmdlIODims *dims) {
    const auto &known = desc->outputs.at(index).dims;
    dims->dimCount = known.size();
    return std::memcpy(dims->dims, known.data(), known.size() * sizeof(int64_t)), ACL_SUCCESS;
}
inline aclmdlDataset *aclmdlCreateDataset() {
    auto *set = new aclmdlDataset;
    return stand_in::made.insert(set), set;
}
inline aclError aclmdlDestroyDataset(const aclmdlDataset *set) {
    stand_in::gone(set);
    return delete set, ACL_SUCCESS;
}
inline aclError aclmdlAddDatasetBuffer(aclmdlDataset *set, aclDataBuffer *buffer) {
    return set->buffers.push_back(buffer), ACL_SUCCESS;
}
inline size_t aclmdlGetDatasetNumBuffers(const aclmdlDataset *set) { return set->buffers.size(); }
inline aclDataBuffer *aclmdlGetDatasetBuffer(const aclmdlDataset *set, size_t index) { return set->buffers.at(index); }
inline aclDataBuffer *aclCreateDataBuffer(void *data, size_t size) {
    auto *buffer = new aclDataBuffer{data, size};
    return stand_in::made.insert(buffer), buffer;
}
inline aclError aclDestroyDataBuffer(const aclDataBuffer *buffer) {
    stand_in::gone(buffer);
    return delete buffer, ACL_SUCCESS;
}
inline void *aclGetDataBufferAddr(const aclDataBuffer *buffer) {
    stand_in::demand(stand_in::made.count(buffer) == 1, "a buffer is read after its end");
    return buffer->data;
}
inline aclError aclrtMalloc(void **place, size_t size, aclrtMemMallocPolicy) {
    *place = std::malloc(size);
    return stand_in::memory[*place] = size, ACL_SUCCESS;
}
inline aclError aclrtFree(void *place) {
    stand_in::demand(stand_in::memory.erase(place) == 1, "freed twice, or not of the device");
    return std::free(place), ACL_SUCCESS;
}
inline aclError aclrtMemcpy(void *to, size_t most, const void *from, size_t count, aclrtMemcpyKind kind) {
    void *device = kind == ACL_MEMCPY_HOST_TO_DEVICE ? to : const_cast<void *>(from);
    const void *host = kind == ACL_MEMCPY_HOST_TO_DEVICE ? from : to;
    stand_in::demand(kind != ACL_MEMCPY_HOST_TO_HOST && count <= most, "a copy of another kind, or too long");
    stand_in::demand(stand_in::memory.count(device) && stand_in::memory[device] >= count, "not on the device");
    stand_in::demand(!stand_in::memory.count(const_cast<void *>(host)), "not on the host");
    return std::memcpy(to, from, count), ACL_SUCCESS;
}
inline aclError aclmdlExecute(uint32_t id, const aclmdlDataset *in, aclmdlDataset *out) {
    const auto &model = stand_in::model;
    stand_in::demand(id == 7 && stand_in::state == "loaded", "no such model");
    stand_in::demand(in->buffers.size() == model.inputs.size(), "inputs of another number");
    stand_in::demand(out->buffers.size() == model.outputs.size(), "outputs of another number");
    for (size_t i = 0; i < in->buffers.size(); ++i) {
        stand_in::demand(in->buffers[i]->size == model.inputs[i].size, "an input of another size");
        std::ofstream("fed_" + std::to_string(i) + ".bin", std::ios::binary)
            .write(static_cast<const char *>(in->buffers[i]->data), std::streamsize(in->buffers[i]->size));
    }
    for (size_t i = 0; i < out->buffers.size(); ++i) {
        stand_in::demand(out->buffers[i]->size == model.outputs[i].size, "an output of another size");
        std::ifstream file(model.outputs[i].file, std::ios::binary);
        file.read(static_cast<char *>(out->buffers[i]->data), std::streamsize(out->buffers[i]->size));
        stand_in::demand(size_t(file.gcount()) == out->buffers[i]->size, "the output's file is short");
    }
    return ++stand_in::runs, ACL_SUCCESS;
}
