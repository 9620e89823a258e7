// What a seed chooses: topology, limits, load and faults of one run.
#ifndef DROVER_TESTS_SIM_RUN_PLAN_H_
#define DROVER_TESTS_SIM_RUN_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "coord/base/feature_level.h"
#include "coord/base/random.h"
#include "coord/base/time.h"
#include "coord/server/node.h"

namespace drover::sim::run {

enum class Fault {
  kKill,          // kill -9 of a node: the kernel keeps what was written
  kPowerLoss,     // of a node: un-synced bytes are lost, all or by chance
  kPowerLossAll,  // of all nodes at once
  kCrashInStep,   // between two steps of Perform
  kCrashInDisk,   // at one of the next calls of the disk, which is begun
  kPowerOff,      // a node vanishes without a word
  kReset,         // RST between two hosts
  kCutOneWay,     // silence in one direction
  kCutBothWays,   // silence between two hosts
  kIsolate,       // silence between a node and all others
  kSplit,         // the nodes fall into two parts
  kDepose,        // a leader is cut off until another one leads, and learns of it late
  kSlowLink,      // latency
  kPause,         // SIGSTOP of a node
  kStallDisk,     // a disk that stands still
  kFailSync,      // one fsync fails
  kFailWrite,     // one of the next calls of the disk fails
  kFullDisk,      // no space for a while
  kFlipBit,       // in a minority: a bit of what was synced long ago
  kWipe,          // in a minority: a disk is replaced
  kJumpWall,      // a wall clock jumps
  kClockRate,     // a clock is fast or slow
  kKillClient,    // a client dies; another one begins
  kPauseClient,   // SIGSTOP of a client
  kCutClient,     // silence between a client and a node
  // Only where there are several.
  kHandOver,  // a leader is asked to hand over to another voter, which may stand still
  // Only where there are spares.
  kMembers,  // a member is added, promoted or removed
  kReadmit,  // a voter's disk is replaced, and the node readmitted
  kCamps,    // a leader and its successor change the members each behind the other's back, and go on with half of the rest each
  // Only where there are programs of two versions.
  kVersion,  // a node is started again with a newer program, or with an older one; or all are, one after the other, with the newest
};
inline constexpr int kFaults = static_cast<int>(Fault::kVersion) + 1;
[[nodiscard]] const char* NameOf(Fault fault);

struct Plan {
  std::uint64_t seed = 0;
  int nodes = 3;   // that begin
  int spares = 0;  // that may be added
  int clients = 3;
  // What the programs know at first that run on the nodes, spares too, one after the other; empty: all that there is. Once all has
  // healed they are of the newest version.
  std::vector<base::FeatureLevel> levels;
  bool overtakes = false;     // deposed leaders often return to a successor that has nothing but a snapshot for them
  base::Duration duration{};  // of load and faults; then everything heals
  int absences = 0;           // before that: how often some of the voters are away, and the others have to do without them

  coord::server::NodeOptions options;  // of every node
  std::int64_t rate_ppm_max = 0;       // error of a clock, each way
  base::Duration latency_min{}, latency_max{};

  // Faults come at random, this far apart on average, out of this lot.
  base::Duration fault_gap{};
  std::vector<Fault> faults;

  // Of one client.
  base::Duration think{};  // between two calls, on average
  std::size_t calls_max = 0;
  std::size_t in_flight_max = 1;
  std::size_t registers = 4;
  std::size_t locks = 3;
  std::size_t data_bytes_max = 16;
  base::Duration session_timeout{};
  bool readers = false;  // every other client does little but read
  bool graces = false;   // some clients ask for a disconnect grace

  // How long an entry may take that comes behind all calls that the clients can have in flight, nothing being disturbed: long where
  // appends are few and small, and links slow.
  [[nodiscard]] base::Duration DrainTime() const;

  [[nodiscard]] std::string Text() const;
};

[[nodiscard]] Plan MakePlan(std::uint64_t seed);

}  // namespace drover::sim::run

#endif  // DROVER_TESTS_SIM_RUN_PLAN_H_
