// How tasks that name a handler find a worker that has it: by labels, like all else that a task asks of its worker.
#ifndef DROVER_MASTER_RECORDS_HANDLER_LABEL_H_
#define DROVER_MASTER_RECORDS_HANDLER_LABEL_H_

#include <cstddef>

namespace drover::records {

// A worker has a label with this and the name for each of its handlers, and a task that names one a rule that it exists.
inline constexpr char kHandlerLabel[] = "handler/";
inline constexpr std::size_t kHandlerNameBytesMax = 63 - (sizeof(kHandlerLabel) - 1);
inline constexpr std::size_t kHandlersMax = 64;
// One that has this runs tasks with a handler alone.
inline constexpr char kHandlersOnlyLabel[] = "drover/handlers-only";

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_HANDLER_LABEL_H_
