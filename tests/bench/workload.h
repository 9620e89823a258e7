// What the clients of a benchmark ask for. Pure; any thread.
#ifndef DROVER_TESTS_BENCH_WORKLOAD_H_
#define DROVER_TESTS_BENCH_WORKLOAD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace drover::bench {

enum class Operation : std::uint8_t {
  kCreate,    // makes the key; one that is there already is no error
  kSet,       // acknowledged when durable on a majority
  kGet,       // linearizable
  kLocalGet,  // from the node at hand, which may be behind
};

enum class Workload : std::uint8_t { kSet, kGet, kLocalGet, kMixed };

// How much is asked at a time: `window` requests of each of `clients` sessions are in flight, always.
struct Load {
  int clients = 1;
  int window = 1;

  friend bool operator==(const Load&, const Load&) = default;
};

// "set", "get", "local-get", "mixed".
[[nodiscard]] absl::string_view WorkloadName(Workload workload);
[[nodiscard]] absl::StatusOr<Workload> ParseWorkload(absl::string_view text);
// Names with commas between; none twice.
[[nodiscard]] absl::StatusOr<std::vector<Workload>> ParseWorkloads(absl::string_view text);
// "4x64": clients x window.
[[nodiscard]] absl::StatusOr<Load> ParseLoad(absl::string_view text);
// "1x1,4x64".
[[nodiscard]] absl::StatusOr<std::vector<Load>> ParseLoads(absl::string_view text);
// "100,1000": bytes, each at most 1 MiB.
[[nodiscard]] absl::StatusOr<std::vector<std::size_t>> ParseSizes(absl::string_view text);

// The next request's operation; of kMixed `set_percent` of 100 are sets, the rest linearizable gets. `bits`: 64 random ones.
[[nodiscard]] Operation ChooseOperation(Workload workload, int set_percent, std::uint64_t bits);

// The node below which all keys are, and the keys: "/bench/k00017". The same in all systems.
inline constexpr char kKeyRoot[] = "/bench";
[[nodiscard]] std::vector<std::string> KeyNames(std::size_t count);

// Text of 64 different characters, the same for the same seed: what compresses as badly as text can (by a quarter).
[[nodiscard]] std::string RandomText(std::uint64_t seed, std::size_t bytes);

// Many keys: 1,000 below each of as many nodes as it takes ("/bench/dir-0000000000000017"), names of 20 bytes.
inline constexpr std::size_t kKeysPerDirectory = 1'000;
[[nodiscard]] std::string DirectoryName(std::size_t directory);
[[nodiscard]] std::string DeepKeyName(std::size_t key);
// Of watch `watch` of session `session`: "/watched/00000017/key-00000042".
inline constexpr std::size_t kWatchedPathBytes = 30;
[[nodiscard]] std::string WatchedPath(int session, std::uint64_t watch);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_WORKLOAD_H_
