// Puts the checksums of damaged log and snapshot files right, so that a fuzzer gets behind them: what is checked there is told from
// what is believed because of a checksum. Knows the formats by coord/log/FORMAT.md alone.
#ifndef DROVER_TESTS_FUZZ_LOG_REPAIR_H_
#define DROVER_TESTS_FUZZ_LOG_REPAIR_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "coord/base/ids.h"

namespace drover::fuzz {

// Checksums of frames, by segment and offset.
using FrameChecksums = std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t>;

// Of a segment file: the checksums of its first `frames` frames, from the front as long as there is one. The header comes to name
// `cluster` and `number`, and the checksum of the frame that it says it follows if that one is in `known`, to which the frames
// here are added. A frame that says it is longer than the file becomes one that ends with it.
void RepairSegment(base::ClusterId cluster, std::uint64_t number, std::size_t frames, FrameChecksums* known, std::string* file);

// Of a snapshot file: the checksum of its head, then those of its first `parts` parts, then that of its end. Lengths that go
// beyond the file are cut.
void RepairSnapshot(std::size_t parts, std::string* file);

}  // namespace drover::fuzz

#endif  // DROVER_TESTS_FUZZ_LOG_REPAIR_H_
