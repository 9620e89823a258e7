// Internal: tasks of one key, of which only so many run at once.
//
// A task whose key is busy is *parked*: taken out of its class, so that it is not looked at over and over. Whenever a task of the
// key leaves its slot or its place in line, one parked task of each class that may run now is *roused*: put back into its class. So
// a class never waits for a key that is free, and a slot that comes free costs the same however many are parked.
#ifndef DROVER_MASTER_SCHEDULER_KEY_LIMITS_H_
#define DROVER_MASTER_SCHEDULER_KEY_LIMITS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/strings/string_view.h"
#include "master/scheduler/waiting_index.h"

namespace drover::master::scheduler {

class KeyLimits {
 public:
  struct Key {
    std::string name;
    std::uint32_t running = 0;
    std::size_t tasks = 0;  // that refer to it
    // By class, then by how many of the key may run.
    absl::btree_map<RequirementClass*, absl::btree_map<std::uint32_t, absl::btree_set<Place>>> parked;
  };
  struct Roused {
    RequirementClass* cls;
    Place place;
  };

  // Counts one task more; null for no key.
  Key* Refer(absl::string_view name);
  void Release(Key* key);

  [[nodiscard]] static bool Busy(const Key* key, std::uint32_t max) { return key != nullptr && key->running >= max; }
  static void Park(Key* key, std::uint32_t max, RequirementClass* cls, Place place);
  static void Unpark(Key* key, std::uint32_t max, RequirementClass* cls, Place place);
  // Takes out, of each class, the first that may run now.
  [[nodiscard]] static std::vector<Roused> Rouse(Key* key);
  // The first of this class.
  [[nodiscard]] static std::vector<Roused> RouseOf(Key* key, RequirementClass* cls);

 private:
  std::map<std::string, Key, std::less<>> keys_;
};

}  // namespace drover::master::scheduler

#endif  // DROVER_MASTER_SCHEDULER_KEY_LIMITS_H_
