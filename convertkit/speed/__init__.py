"""How fast a built model is: the device alone, with its copies, and from photo to detections."""
