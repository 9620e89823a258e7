// Where in the tree the rivals meet, and how much of it there is.
#ifndef DROVER_TESTS_RIVALS_PLACES_H_
#define DROVER_TESTS_RIVALS_PLACES_H_

#include <cstdint>

namespace drover::rivals {

inline constexpr char kLocksPath[] = "/locks";
inline constexpr char kElectionPath[] = "/leaders";
inline constexpr char kShardsPath[] = "/shards";
inline constexpr char kBarrierPath[] = "/barrier";
inline constexpr char kCounterPath[] = "/counter";
inline constexpr char kQueuePath[] = "/queue";
inline constexpr char kDonePath[] = "/done";
inline constexpr char kCommitsPath[] = "/commits";

inline constexpr std::uint32_t kShards = 6;
inline constexpr std::uint32_t kPermits = 2;

}  // namespace drover::rivals

#endif  // DROVER_TESTS_RIVALS_PLACES_H_
