// A data directory as an input of a fuzzer: of node 1 in kDirectoryCluster, in the folder "data".
//
// An input is a number of segments (1 byte, up to 4), then for each its number (1 byte; 255 is the largest there is), how many of
// its frames get right checksums (1 byte), and its file as a piece (input.h); then the name of an empty file beside them as a
// piece; then how many parts of a snapshot get theirs (1 byte), and its file.
#ifndef DROVER_TESTS_FUZZ_DIRECTORY_INPUT_H_
#define DROVER_TESTS_FUZZ_DIRECTORY_INPUT_H_

#include "coord/base/ids.h"
#include "tests/fuzz/input.h"
#include "tests/sim/sim_file_system.h"

namespace drover::fuzz {

inline constexpr base::ClusterId kDirectoryCluster{0x1122334455667788};

void FillDirectory(Input input, sim::SimFileSystem* files);

}  // namespace drover::fuzz

#endif  // DROVER_TESTS_FUZZ_DIRECTORY_INPUT_H_
