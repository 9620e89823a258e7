// A program's output, straight to a descriptor: unbuffered and byte for byte.
#ifndef DROVER_CLIENT_CLI_RAW_WRITE_H_
#define DROVER_CLIENT_CLI_RAW_WRITE_H_

#include "absl/strings/string_view.h"

namespace drover::cli {

// All of `data`; false if the descriptor takes no more.
bool WriteRaw(int fd, absl::string_view data);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_RAW_WRITE_H_
