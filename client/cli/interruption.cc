#include "client/cli/interruption.h"

namespace drover::cli {

bool Interruption::Wait(base::Duration time) {
  base::MutexLock lock(&mu_);
  if (!asked()) changed_.WaitFor(&mu_, time);
  return !asked();
}

}  // namespace drover::cli
