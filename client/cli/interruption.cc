#include "client/cli/interruption.h"

#include <chrono>

namespace drover::cli {

bool Interruption::Wait(base::Duration time) {
  if (!asked()) own_event_.Wait(std::chrono::steady_clock::now() + time);
  return !asked();
}

}  // namespace drover::cli
