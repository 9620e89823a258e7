// First inputs of the fuzzers, made by the encoders themselves.
#ifndef DROVER_TESTS_FUZZ_SEEDS_H_
#define DROVER_TESTS_FUZZ_SEEDS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace drover::fuzz {

// By the name of the target.
using Seeds = std::map<std::string, std::vector<std::string>>;

// Two bytes of length and the bytes, as Input::Piece reads them.
[[nodiscard]] std::string Piece(absl::string_view bytes);

// Of what clients and nodes of a session say: wire, acl, client_frame, session_stream, server_frame, session_machine, batch,
// snapshot_parts.
void AddRequestSeeds(Seeds* out);
// Of what nodes say to each other: peer_frame, formation, configuration.
void AddPeerSeeds(Seeds* out);
// Of files: log_frame, log_directory, log_command; and, of the parts that AddRequestSeeds has made, snapshot_file,
// snapshot_receiver.
void AddLogSeeds(Seeds* out);
// Of what people write: address, path, config, acl_text; and frame_bytes.
void AddTextSeeds(Seeds* out);

}  // namespace drover::fuzz

#endif  // DROVER_TESTS_FUZZ_SEEDS_H_
