"""Graphs of one operator that another opset writes otherwise, as ``opset: text``; hand-written."""

from __future__ import annotations

DOWN = {
    "ReduceMax": (18, "(float[2,3,4] x)=>(float[2,4] y) <int64[1] a={1}> {y=ReduceMax<keepdims=0>(x,a)}"),
    "ReduceSum": (18, "(float[2,3,4] x)=>(float[2,4] y) <int64[1] a={1}> {y=ReduceSum<keepdims=0>(x,a)}"),
    "ReduceMean-all": (18, "(float[2,3] x)=>(float[1,1] y) {y=ReduceMean(x)}"),
    "ReduceMean-none": (18, "(float[2,3] x)=>(float[2,3] y) {y=ReduceMean<noop_with_empty_axes=1>(x)}"),
    "Squeeze": (18, "(float[1,3] x)=>(float[3] y) <int64[1] a={0}> {y=Squeeze(x,a)}"),
    "Unsqueeze": (18, "(float[3] x)=>(float[3,1] y) <int64[1] a={-1}> {y=Unsqueeze(x,a)}"),
    "Split": (18, "(float[2,6] x)=>(float[2,3] y,float[2,3] z) {y,z=Split<axis=-1,num_outputs=2>(x)}"),
    "Split-uneven": (18, "(float[5,2] x)=>(float[3,2] y,float[2,2] z) {y,z=Split<num_outputs=2>(x)}"),
    "Pad": (18, """(float[2,3,4] x)=>(float[4,3,9] y)
        <int64[2] a={-1,0},int64[4] p={2,1,3,1},float v={2}> {y=Pad(x,p,v,a)}"""),
    "Pad-computed": (18, """(float[2,3,4] x, int64[2] k)=>(float[a,b,c] y)
        <int64[1] a={-1}> {p=Abs(k) y=Pad(x,p,,a)}"""),
    "Resize-scales": (18, """(float[1,2,4,6] x)=>(float[1,2,8,9] y)
        <float[2] s={2,1.5}> {y=Resize<mode="linear",axes=[2,3]>(x,,s)}"""),
    "Resize-sizes": (18, """(float[1,2,4,6] x)=>(float[1,2,7,9] y)
        <int64[2] s={9,7}> {y=Resize<axes=[-1,2]>(x,,,s)}"""),
    "Resize-crop": (18, """(float[1,2,4,6] x)=>(float[1,2,8,6] y) <float[2] r={0.2,0.8},int64[1] s={8}>
        {y=Resize<axes=[2],coordinate_transformation_mode="tf_crop_and_resize",mode="linear">(x,r,,s)}"""),
    "GridSample": (20, "(float[1,2,4,6] x,float[1,3,3,2] g)=>(float[1,2,3,3] y) {y=GridSample<mode=\"cubic\">(x,g)}"),
    "LayerNormalization": (18, """(float[2,3,4] x,float[4] s,float[4] b)=>(float[2,3,4] y)
        {y=LayerNormalization(x,s,b)}"""),
    "GroupNormalization": (21, """(float[2,4,5,5] x,float[4] s,float[4] b)=>(float[2,4,5,5] y)
        {y=GroupNormalization<num_groups=2>(x,s,b)}"""),
    "Gelu": (20, "(float[2,3] x)=>(float[2,3] y) {y=Gelu(x)}"),
    "Gelu-tanh": (20, "(float[2,3] x)=>(float[2,3] y) {y=Gelu<approximate=\"tanh\">(x)}"),
    "Mish": (22, "(float[2,3] x)=>(float[2,3] y) {y=Mish(x)}"),
    "HardSwish": (18, "(float[2,3] x)=>(float[2,3] y) {y=HardSwish(x)}"),
    "CastLike": (19, "(float[2,3] x,int64[1] t)=>(int64[2,3] y) {y=CastLike(x,t)}"),
    "Cast": (19, "(float[2,3] x)=>(int64[2,3] y) {y=Cast<to=7>(x)}"),
    "Shape": (19, "(float[2,3,4] x)=>(int64[1] y) {y=Shape<start=-2,end=2>(x)}"),
    "Constant": (19, "(float[2] x)=>(float[2] y) {k=Constant<value_ints=[1]>() t=Tile(x,k) y=Identity(t)}"),
    "Constant-float": (19, "(float[2] x)=>(float[2] y) {k=Constant<value_float=2.5>() y=Mul(x,k)}"),
    "Softmax": (18, "(float[2,3,4] x)=>(float[2,3,4] y) {y=Softmax<axis=1>(x)}"),
    "LogSoftmax": (18, "(float[2,3,4] x)=>(float[2,3,4] y) {y=LogSoftmax(x)}"),
    "Clip": (18, "(float[2,3] x)=>(float[2,3] y) <float a={0},float b={0.2}> {y=Clip(x,a,b)}"),
    "Reshape": (18, "(float[2,3] x)=>(float[6] y) <int64[1] s={-1}> {y=Reshape<allowzero=1>(x,s)}"),
    "ScatterND": (18, "(float[4,3] x,float[1,3] u)=>(float[4,3] y) <int64[1,1] i={2}> {y=ScatterND(x,i,u)}"),
    "ScatterElements": (18, "(float[4] x,float[1] u)=>(float[4] y) <int64[1] i={2}> {y=ScatterElements(x,i,u)}"),
    "RoiAlign": (16, """(float[1,2,8,8] x,float[1,4] r)=>(float[1,2,2,2] y) <int64[1] b={0}>
        {y=RoiAlign<coordinate_transformation_mode="output_half_pixel",output_height=2,output_width=2>(x,r,b)}"""),
    "AveragePool": (19, """(float[1,2,8,8] x)=>(float[1,2,7,7] y)
        {y=AveragePool<kernel_shape=[2,2],dilations=[1,1]>(x)}"""),
    "Mod": (18, "(int64[3] x)=>(int64[3] y) <int64 b={2}> {y=Mod(x,b)}"),
    "ArgMax": (18, "(float[3,4] x)=>(int64[3,1] y) {y=ArgMax<axis=1>(x)}"),
    "IsInf": (20, "(float[3] x)=>(bool[3] y) {y=IsInf(x)}"),
    "Equal": (19, "(float[3] x)=>(bool[3] y) <float z={0.5}> {y=Equal(x,z)}"),
    "Size": (19, "(float[3] x)=>(int64 y) {y=Size(x)}"),
    "Identity": (21, "(float[3] x)=>(float[3] y) {y=Identity(x)}"),
    "Dropout": (18, "(float[3] x)=>(float[3] y) <float r={0.5}> {y=Dropout(x,r)}"),
    "BatchNormalization": (18, """(float[1,2,3,3] x,float[2] s,float[2] b,float[2] m)=>(float[1,2,3,3] y)
        <float[2] v={1,2}> {y=BatchNormalization(x,s,b,m,v)}"""),
    "If": (18, """(float[3,2] x,bool c)=>(float[3] y) {y=If(c)<
        then_branch=g()=>(float[3] t) <int64[1] a={1}> {t=ReduceMax<keepdims=0>(x,a)},
        else_branch=h()=>(float[3] e) {a=Constant<value_ints=[1]>() e=ReduceMin<keepdims=0>(x,a)}>}"""),
}  # fmt: skip

UP = {
    "Slice": (9, "(float[3,4] x)=>(float[2,4] y) {y=Slice<axes=[0],starts=[1],ends=[3]>(x)}"),
    "Clip": (9, "(float[3,4] x)=>(float[3,4] y) {y=Clip<min=0.1,max=0.3>(x)}"),
    "Pad": (9, "(float[3,4] x)=>(float[5,4] y) {y=Pad<pads=[1,0,1,0],value=2.0>(x)}"),
    "TopK": (9, "(float[5] x)=>(float[2] y,int64[2] i) {y,i=TopK<k=2>(x)}"),
    "Scatter": (10, "(float[4] x,float[1] u)=>(float[4] y) <int64[1] i={2}> {y=Scatter(x,i,u)}"),
    "Upsample": (9, "(float[1,1,4,4] x)=>(float[1,1,8,8] y) <float[4] s={1,1,2,2}> {y=Upsample<mode=\"linear\">(x,s)}"),
    "Resize": (10, "(float[1,1,4,4] x)=>(float[1,1,7,7] y) <float[4] s={1,1,1.9,1.9}> {y=Resize(x,s)}"),
    "Resize-linear": (10, """(float[1,1,4,4] x)=>(float[1,1,2,2] y) <float[4] s={1,1,0.5,0.5}>
        {y=Resize<mode="linear">(x,s)}"""),
    "Dropout": (10, "(float[3] x)=>(float[3] y) {y=Dropout<ratio=0.3>(x)}"),
    "Softmax": (11, "(float[2,3,4] x)=>(float[2,3,4] y) {y=Softmax<axis=1>(x)}"),
    "Squeeze": (11, "(float[1,3] x)=>(float[3] y) {y=Squeeze<axes=[0]>(x)}"),
    "Unsqueeze": (11, "(float[3] x)=>(float[1,3] y) {y=Unsqueeze<axes=[0]>(x)}"),
    "Split": (11, "(float[5] x)=>(float[2] y,float[3] z) {y,z=Split<split=[2,3]>(x)}"),
    "Split-equal": (11, "(float[6] x)=>(float[3] y,float[3] z) {y,z=Split(x)}"),
    "ReduceSum": (11, "(float[2,3] x)=>(float[2] y) {y=ReduceSum<axes=[1],keepdims=0>(x)}"),
    "ReduceMax": (11, "(float[2,3] x)=>(float[2] y) {y=ReduceMax<axes=[1],keepdims=0>(x)}"),
    "RoiAlign": (11, """(float[1,2,8,8] x,float[1,4] r)=>(float[1,2,2,2] y) <int64[1] b={0}>
        {y=RoiAlign<output_height=2,output_width=2>(x,r,b)}"""),
    "GridSample": (16, "(float[1,2,4,6] x,float[1,3,3,2] g)=>(float[1,2,3,3] y) {y=GridSample<mode=\"bicubic\">(x,g)}"),
    "GroupNormalization": (18, """(float[2,4,5,5] x,float[2] s,float[2] b)=>(float[2,4,5,5] y)
        {y=GroupNormalization<num_groups=2>(x,s,b)}"""),
}  # fmt: skip

REFUSED = {
    "antialias": (18, 17, """(float[1,2,4,6] x)=>(float[1,2,2,3] y) <float[4] s={1,1,0.5,0.5}>
        {[here] y=Resize<mode="linear",antialias=1>(x,,s)}""",
        "not in opset 17: antialias=1 cannot be said (convert-opset{to=18} keeps it)"),
    "policy": (18, 17, """(float[1,2,4,6] x)=>(float[a,b,c,d] y) <int64[4] s={1,2,3,3}>
        {[here] y=Resize<keep_aspect_ratio_policy="not_larger">(x,,,s)}""",
        "not in opset 17: keep_aspect_ratio_policy=not_larger cannot be said (convert-opset{to=18} keeps it)"),
    "symmetric": (19, 11, """(float[1,2,4,6] x)=>(float[a,b,c,d] y) <float[4] s={1,1,0.5,0.5}>
        {[here] y=Resize<coordinate_transformation_mode="half_pixel_symmetric">(x,,s)}""",
        "not in opset 18: coordinate_transformation_mode=half_pixel_symmetric cannot be said"
        " (convert-opset{to=19} keeps it)"),
    "half pixel": (16, 15, """(float[1,2,8,8] x,float[1,4] r)=>(float[1,2,2,2] y) <int64[1] b={0}>
        {[here] y=RoiAlign<output_height=2,output_width=2>(x,r,b)}""",
        "not in opset 15: coordinate_transformation_mode=half_pixel cannot be said (convert-opset{to=16} keeps it)"),
    "wrap": (19, 18, "(float[3] x)=>(float[5] y) <int64[2] p={1,1}> {[here] y=Pad<mode=\"wrap\">(x,p)}",
        "not in opset 18: mode=wrap cannot be said (convert-opset{to=19} keeps it)"),
    "reduction": (18, 17, """(float[4] x,float[1] u)=>(float[4] y) <int64[1] i={2}>
        {[here] y=ScatterElements<reduction="max">(x,i,u)}""",
        "not in opset 17: reduction=max cannot be said (convert-opset{to=18} keeps it)"),
    "dilations": (19, 18, """(float[1,2,8,8] x)=>(float[1,2,6,6] y)
        {[here] y=AveragePool<kernel_shape=[2,2],dilations=[2,2]>(x)}""",
        "not in opset 18: dilations=[2, 2] cannot be said (convert-opset{to=19} keeps it)"),
    "axes": (18, 17, "(float[2,3] x,int64[1] a)=>(float[b,c] y) {[here] y=ReduceMax(x,a)}",
        "not in opset 17: input 'a' is no constant"
        " (simplify or fold-constants in front of it may make it one; convert-opset{to=18} keeps it)"),
    "open size": (18, 17, "(float[n] x)=>(float[a] y,float[b] z) {[here] y,z=Split<num_outputs=2>(x)}",
        "not in opset 17: num_outputs=2 cannot be said, and the size of axis 0 is open"
        " (set-input-shape in front of it may tell it; convert-opset{to=18} keeps it)"),
    "zero": (14, 13, "(float[0,3] x)=>(float[0,3] y) <int64[2] s={0,3}> {[here] y=Reshape<allowzero=1>(x,s)}",
        "not in opset 13: allowzero=1 with a size of 0 cannot be said (convert-opset{to=14} keeps it)"),
    "voxels": (20, 16, """(float[1,2,4,6,4] x,float[1,3,3,3,3] g)=>(float[1,2,3,3,3] y)
        {[here] y=GridSample(x,g)}""",
        "not in opset 19: it samples pictures only, of four dimensions (convert-opset{to=20} keeps it)"),
    "operator": (16, 15, "(float[1,2,4,6] x,float[1,3,3,2] g)=>(float[1,2,3,3] y) {[here] y=GridSample(x,g)}",
        "not in opset 15: there is no such operator (convert-opset{to=16} keeps it)"),
    "integers": (18, 11, "(int64[3] x)=>(int64[3] y) <int64 b={2}> {[here] y=Max(x,b)}",
        "not in opset 11: tensor(int64) of 'x' is not taken (convert-opset{to=12} keeps it)"),
    "smaller": (10, 11, "(float[1,1,4,4] x)=>(float[1,1,2,2] y) <float[4] s={1,1,0.5,0.5}> {[here] y=Resize(x,s)}",
        "not in opset 11: the nearest pixel of what becomes smaller is not defined (convert-opset{to=10} keeps it)"),
}  # fmt: skip
