// The messages of one partition: a file that is only ever appended to, in a directory that all brokers reach. It stands for any
// storage that is shared or replicated, and does what such a storage must do for its writers: it refuses the token of one that has
// been replaced.
//
// A record is a line, "TOKEN PRODUCER SEQUENCE TEXT". What there is to know of producers and tokens is in the records, so whoever
// takes the file over knows it too. The file's lock makes reading what is new, deciding and appending one step; it goes with its
// process, and what a process that was killed has left of a line is cut off by the next one.
//
// Threads: any.
#ifndef DROVER_CLIENT_EXAMPLES_BROKER_PARTITION_LOG_H_
#define DROVER_CLIENT_EXAMPLES_BROKER_PARTITION_LOG_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace drover::examples::broker {

class PartitionLog {
 public:
  static absl::StatusOr<std::unique_ptr<PartitionLog>> Open(const std::string& path);
  ~PartitionLog();
  PartitionLog(const PartitionLog&) = delete;
  PartitionLog& operator=(const PartitionLog&) = delete;

  // On the disk when it returns. A sequence number not above the producer's last one is there already: OK, and nothing is appended.
  // ABORTED: there is a record with a higher token, so whoever has this one owns the partition no more.
  absl::Status Append(std::uint64_t token, const std::string& producer, std::uint64_t sequence, const std::string& text);
  // "PRODUCER SEQUENCE TEXT" of at most `max` records from the `from`th (0 is the first) on.
  absl::StatusOr<std::vector<std::string>> Read(std::uint64_t from, std::uint64_t max);
  struct Summary {
    std::uint64_t end = 0;   // how many records there are
    std::uint64_t last = 0;  // the producer's last sequence number; 0: it has none
  };
  absl::StatusOr<Summary> Summarize(const std::string& producer);

 private:
  explicit PartitionLog(int fd) : fd_(fd) {}
  // Takes in the whole lines that were appended since, by whomever.
  absl::Status CatchUp();
  absl::Status AppendLocked(std::uint64_t token, const std::string& producer, std::uint64_t sequence, const std::string& text);

  const int fd_;
  std::mutex mu_;
  std::uint64_t size_ = 0;                     // of what was taken in
  std::uint64_t token_ = 0;                    // the highest
  std::vector<std::uint64_t> begins_;          // of each record
  std::map<std::string, std::uint64_t> last_;  // by producer
};

}  // namespace drover::examples::broker

#endif  // DROVER_CLIENT_EXAMPLES_BROKER_PARTITION_LOG_H_
