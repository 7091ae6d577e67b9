"""Running a network file on the CPU: LiteRT and ONNX."""
