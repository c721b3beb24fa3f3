"""Detection heads in standard ONNX that bare onnxruntime runs."""
