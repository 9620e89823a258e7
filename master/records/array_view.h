// What the tree says about one array: its record, how its elements ended, and those that have a record of their own.
//
// An element is *free* as long as it has not ended and no record of it stands: it can be handed out. One that has ended by its
// record is to be *folded*: written into its chunk. All is said of the life that the array is in.
//
// Pure; not thread-safe.
#ifndef DROVER_MASTER_RECORDS_ARRAY_VIEW_H_
#define DROVER_MASTER_RECORDS_ARRAY_VIEW_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "coord/base/ids.h"
#include "drover/worker/v1/record.pb.h"

namespace drover::records {

struct ChunkView {
  worker::v1::ArrayChunk chunk;
  base::Zxid mzxid;
};

class ArrayView {
 public:
  using Position = std::uint32_t;

  // Its record came, changed or went.
  void SetRecord(const worker::v1::TaskRecord& record);
  void RemoveRecord();
  void SetChunk(std::uint32_t number, ChunkView chunk);
  void RemoveChunk(std::uint32_t number);
  // A record of an element: in which state and life it is.
  void SetElement(std::uint32_t index, task::v1::State state, std::uint32_t life);
  void RemoveElement(std::uint32_t index);

  // Its record stands.
  [[nodiscard]] bool present() const { return present_; }
  // Nothing of it is in the tree.
  [[nodiscard]] bool empty() const { return !present_ && chunks_.empty() && records_.empty(); }
  [[nodiscard]] const task::v1::Array& array() const { return array_; }
  [[nodiscard]] std::uint32_t life() const { return life_; }
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] const std::map<std::uint32_t, ChunkView>& chunks() const { return chunks_; }

  // How an element ended; STATE_UNSPECIFIED: it has not.
  [[nodiscard]] task::v1::State EndOf(Position position) const;
  [[nodiscard]] bool IsFree(Position position) const;
  // The first free one from there on; size() if none.
  [[nodiscard]] Position NextFree(Position from) const;
  [[nodiscard]] std::uint32_t free() const { return size_ - ended() - static_cast<std::uint32_t>(live_.size() + unfolded_.size()); }

  // By how they ended.
  [[nodiscard]] std::uint32_t Count(task::v1::State end) const;
  [[nodiscard]] std::uint32_t ended() const { return ended_; }
  // Those with a record that has not ended, and how many of them are READY.
  [[nodiscard]] const absl::btree_map<Position, task::v1::State>& live() const { return live_; }
  [[nodiscard]] std::uint32_t ready() const { return ready_; }
  // To be folded, and how they ended.
  [[nodiscard]] const absl::btree_map<Position, task::v1::State>& unfolded() const { return unfolded_; }
  [[nodiscard]] bool IsUnfolded(std::uint32_t index) const;
  // Of its elements, of whatever life.
  [[nodiscard]] std::size_t records() const { return records_.size(); }
  // The indexes of those that ended otherwise than SUCCEEDED, ascending, so many ranges of them; of an array that is over those,
  // too, that are still free.
  [[nodiscard]] std::vector<task::v1::Array::Range> Unsuccessful(std::size_t ranges_max, bool over) const;

 private:
  struct Element {
    task::v1::State state;
    std::uint32_t life;
  };
  // How it ended, by the chunks, was and is this.
  void MoveEnd(Position position, task::v1::State before, task::v1::State now);
  void CountEnd(task::v1::State end, int by);
  void Place(std::uint32_t index, const Element& element);
  void Displace(Position position);
  void Recount();

  bool present_ = false;
  task::v1::Array array_;
  std::uint32_t life_ = 0;
  std::uint32_t size_ = 0;
  std::map<std::uint32_t, ChunkView> chunks_;
  absl::btree_map<std::uint32_t, Element> records_;  // by index
  absl::btree_map<Position, task::v1::State> live_;
  absl::btree_map<Position, task::v1::State> unfolded_;
  std::map<task::v1::State, std::uint32_t> counts_;
  std::uint32_t ended_ = 0;
  std::uint32_t ready_ = 0;
  // None before it is free.
  mutable Position first_free_ = 0;
};

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_ARRAY_VIEW_H_
