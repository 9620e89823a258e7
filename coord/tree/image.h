// How a walk takes an image of things that go on being changed: whoever is about to change one for the first time since the image
// began saves it first, as it was.
//
// Each thing carries the number of the last image that has it (or that it is too new for). Nothing is copied that is not changed,
// and the cost of a change while no image is taken is one comparison.
#ifndef DROVER_COORD_TREE_IMAGE_H_
#define DROVER_COORD_TREE_IMAGE_H_

#include <cstdint>

namespace drover::coord::tree {

class Node;
class Session;

// Number of an image; 0: before the first.
using ImageNumber = std::uint32_t;

// Gets each thing of an image once, as it was when the image began.
class ImageSink {
 public:
  // Its parent was told before.
  virtual void OnNode(const Node& node) = 0;
  virtual void OnSession(const Session& session) = 0;

 protected:
  ~ImageSink() = default;
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_IMAGE_H_
