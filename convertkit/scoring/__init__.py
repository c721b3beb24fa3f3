"""What detections are worth: results kept, matched with what is there, AP and mistakes, intervals of all of them."""
