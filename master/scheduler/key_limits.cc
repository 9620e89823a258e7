#include "master/scheduler/key_limits.h"

#include <optional>

#include "coord/base/check.h"

namespace drover::master::scheduler {

KeyLimits::Key* KeyLimits::Refer(absl::string_view name) {
  if (name.empty()) return nullptr;
  Key& key = keys_[std::string(name)];
  if (key.tasks++ == 0) key.name = std::string(name);
  return &key;
}

void KeyLimits::Release(Key* key) {
  if (key == nullptr || --key->tasks > 0) return;
  DROVER_DCHECK(key->running == 0 && key->parked.empty());
  keys_.erase(keys_.find(key->name));
}

void KeyLimits::Park(Key* key, std::uint32_t max, RequirementClass* cls, Place place) {
  key->parked[cls][max].insert(place);
}

void KeyLimits::Unpark(Key* key, std::uint32_t max, RequirementClass* cls, Place place) {
  const auto of_class = key->parked.find(cls);
  const auto of_max = of_class->second.find(max);
  of_max->second.erase(place);
  if (of_max->second.empty()) of_class->second.erase(of_max);
  if (of_class->second.empty()) key->parked.erase(of_class);
}

std::vector<KeyLimits::Roused> KeyLimits::RouseOf(Key* key, RequirementClass* cls) {
  if (key == nullptr) return {};
  const auto of_class = key->parked.find(cls);
  if (of_class == key->parked.end()) return {};
  std::optional<Place> first;
  std::uint32_t max_of_first = 0;
  for (auto it = of_class->second.upper_bound(key->running); it != of_class->second.end(); ++it) {
    if (first.has_value() && *first < *it->second.begin()) continue;
    first = *it->second.begin();
    max_of_first = it->first;
  }
  if (!first.has_value()) return {};
  Unpark(key, max_of_first, cls, *first);
  return {{cls, *first}};
}

std::vector<KeyLimits::Roused> KeyLimits::Rouse(Key* key) {
  if (key == nullptr || key->parked.empty()) return {};
  std::vector<RequirementClass*> classes;
  for (const auto& [cls, parked] : key->parked) classes.push_back(cls);
  std::vector<Roused> roused;
  for (RequirementClass* cls : classes) {
    for (const Roused& one : RouseOf(key, cls)) roused.push_back(one);
  }
  return roused;
}

}  // namespace drover::master::scheduler
