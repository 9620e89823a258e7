// What a program says of itself: a line "40", "40% of the files", "of the files", or an empty one, which says only that it lives.
//
// Pure; any thread.
#ifndef DROVER_WORKER_AGENT_PROGRESS_H_
#define DROVER_WORKER_AGENT_PROGRESS_H_

#include "absl/strings/string_view.h"
#include "drover/task/v1/task.pb.h"

namespace drover::worker::agent {

// A number at the beginning, up to 100, is the percentage; what is behind it the text. False: an empty line, `progress` stays as it
// is. What it does not say anew, percentage or text, goes.
bool ReadProgress(absl::string_view line, task::v1::Progress* progress);

}  // namespace drover::worker::agent

#endif  // DROVER_WORKER_AGENT_PROGRESS_H_
