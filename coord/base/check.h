// Assertions. A failed one prints file, line and condition and aborts: the process's state can no longer be trusted.
//
// DROVER_CHECK is always on; for what would lose or falsify data. DROVER_DCHECK is on in dev builds (DROVER_DEV); for what costs
// too much to check always. Both take more words by <<. Neither is for input from outside: that is answered by a Status.
#ifndef DROVER_COORD_BASE_CHECK_H_
#define DROVER_COORD_BASE_CHECK_H_

#include <ostream>
#include <sstream>

#include "absl/base/optimization.h"

namespace drover::base::internal {

// Gathers the words of a failed check; its destructor prints them and aborts.
class CheckFailure {
 public:
  CheckFailure(const char* file, int line, const char* condition);
  CheckFailure(const CheckFailure&) = delete;
  CheckFailure& operator=(const CheckFailure&) = delete;
  [[noreturn]] ~CheckFailure();
  std::ostream& stream() { return words_; }

 private:
  std::ostringstream words_;
};

// Makes `stream << words` an expression of type void; & binds weaker than <<.
struct Voidify {
  void operator&(std::ostream&) const {}
};

}  // namespace drover::base::internal

#define DROVER_CHECK(condition)                   \
  ABSL_PREDICT_TRUE(static_cast<bool>(condition)) \
  ? static_cast<void>(0)                          \
  : ::drover::base::internal::Voidify() & ::drover::base::internal::CheckFailure(__FILE__, __LINE__, #condition).stream()

#ifdef DROVER_DEV
#define DROVER_DCHECK(condition) DROVER_CHECK(condition)
#else
#define DROVER_DCHECK(condition) \
  while (false) DROVER_CHECK(condition)
#endif

#endif  // DROVER_COORD_BASE_CHECK_H_
