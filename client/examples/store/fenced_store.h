// A store of logs in a directory that all servers of an example reach: it stands for any storage that they share. What matters is
// that it knows fencing tokens.
//
//   examples::FencedStore store("/tmp/mail");
//   absl::StatusOr<bool> stored = store.Append("ann", {.token = 17, .who = "m1"}, id, "hello");
//
// Guarantees
//   Whoever reads or writes a log says by which token; a lower one than the highest that the log has seen is refused with
//   FAILED_PRECONDITION, for ever. So a server that was paused while another took its place can neither change nor read what is
//   the other's now, whatever it believes. A token that is seen for the first time is written down, as a record of its own, before
//   anything is done by it. What Append has acknowledged is on the disk. An id is stored once: an Append that is sent again is
//   answered with OK and changes nothing.
//
// Each call locks the log's file (flock) and reads it from the beginning: fit for examples. Threads and processes: any.
#ifndef DROVER_CLIENT_EXAMPLES_STORE_FENCED_STORE_H_
#define DROVER_CLIENT_EXAMPLES_STORE_FENCED_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace drover::examples {

// 1 to 100 of A-Z a-z 0-9 . _ -, the first not a dot: what can be a file and a node alike.
[[nodiscard]] bool IsName(absl::string_view text);

struct Holder {
  std::uint64_t token = 0;
  std::string who;  // for people, and for tests that look for two with one token
};

struct Record {
  Holder holder;
  std::string id;  // empty: the log's holder changed
  std::string data;
};

class FencedStore {
 public:
  // The directory is made if it is missing.
  explicit FencedStore(std::string directory);

  // Whether it was stored now; false: this id was there already.
  [[nodiscard]] absl::StatusOr<bool> Append(const std::string& log, const Holder& holder, const std::string& id,
                                            const std::string& data);
  // What was appended, in order. Of a log that nobody has used: nothing.
  [[nodiscard]] absl::StatusOr<std::vector<Record>> Read(const std::string& log, const Holder& holder);

  // Whether Read would be refused: for a holder that has read the log and knows what is in it.
  [[nodiscard]] absl::Status Check(const std::string& log, const Holder& holder);

  // All records, changes of the holder too, by whoever asks: how a test judges what has happened.
  [[nodiscard]] absl::StatusOr<std::vector<Record>> History(const std::string& log);

 private:
  const std::string directory_;
};

}  // namespace drover::examples

#endif  // DROVER_CLIENT_EXAMPLES_STORE_FENCED_STORE_H_
