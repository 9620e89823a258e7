// A program's output, straight to a descriptor: unbuffered and byte for byte.
#ifndef DROVER_CLIENT_CLI_RAW_WRITE_H_
#define DROVER_CLIENT_CLI_RAW_WRITE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace drover::cli {

// One descriptor. Written by one thread, asked for its status when that has ended.
class RawSink {
 public:
  // `name`: what people call it, "standard output".
  RawSink(int fd, const char* name) : fd_(fd), name_(name) {}

  // All of `data`; false if the descriptor takes no more.
  bool Write(absl::string_view data);
  // What a failed Write failed of. OK also when the reader of a pipe has left: it wanted no more.
  [[nodiscard]] absl::Status status() const;

 private:
  const int fd_;
  const char* const name_;
  int error_ = 0;
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_RAW_WRITE_H_
