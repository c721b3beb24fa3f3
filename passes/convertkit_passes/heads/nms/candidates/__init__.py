"""What comes into an NMS: where its boxes and scores are whole, and which of them take part."""
