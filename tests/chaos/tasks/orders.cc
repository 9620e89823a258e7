#include "tests/chaos/tasks/orders.h"

#include <chrono>

#include "absl/strings/str_cat.h"

namespace drover::chaos::tasks {

using client::Reason;
using client::State;
using std::chrono::milliseconds;

std::vector<std::string> Witnessed(const std::string& witness, const std::string& what) {
  return {"sh", "-c", absl::StrCat("echo $DROVER_TASK_ID $DROVER_ATTEMPT $DROVER_FENCE $(date +%s%3N) >> ", witness, "; ", what)};
}

std::vector<Order> MakeOrders(base::Random* random, const std::string& prefix, std::size_t count, const std::string& witness) {
  std::vector<Order> orders;
  const auto make = [&](const std::string& what, std::vector<State> ends = {State::kSucceeded}) -> Order& {
    Order& order = orders.emplace_back();
    order.spec.id = absl::StrCat(prefix, ".", orders.size());
    order.spec.argv = Witnessed(witness, what);
    order.ends = std::move(ends);
    return order;
  };
  const auto last = [&orders]() -> const std::string& { return orders.back().spec.id; };
  while (orders.size() < count) {
    const std::string nap = absl::StrCat("sleep 0.", random->Below(4));
    switch (random->Below(14)) {
      case 0:
      case 1:
      case 2:
        make(nap);
        break;
      case 3:
      case 4:
        // Long enough that some are under way wherever a blow falls.
        make(absl::StrCat("sleep ", random->Below(3)), {State::kSucceeded, State::kLost}).spec.at_most_once = true;
        break;
      case 5: {  // succeeds at its second attempt at the latest
        Order& order = make("[ $DROVER_ATTEMPT -ge 2 ]");
        order.spec.retries = 3;
        order.spec.retry_backoff = milliseconds(100);
        break;
      }
      case 6: {  // fails each time
        Order& order = make("exit 7", {State::kFailed});
        order.spec.retries = 1;
        order.spec.retry_backoff = milliseconds(100);
        order.reason = Reason::kExitCode;
        order.begins_min = 2;
        break;
      }
      case 7: {  // one after the other
        make(nap);
        for (int i = 0; i < 2; ++i) {
          const std::string before = last();
          Order& order = make("true");
          order.spec.dependencies = {{before, client::Dependency::Condition::kSuccess}};
          order.after = before;
        }
        break;
      }
      case 8: {  // what waits for a success that does not come, and for the failure that does
        make("exit 1", {State::kFailed}).reason = Reason::kExitCode;
        const std::string before = last();
        Order& never = make("true", {State::kCancelled});
        never.spec.dependencies = {{before, client::Dependency::Condition::kSuccess}};
        never.reason = Reason::kDependency;
        never.runs = false;
        Order& instead = make("true");
        instead.spec.dependencies = {{before, client::Dependency::Condition::kFailure}};
        instead.after = before;
        break;
      }
      case 9: {
        Order& order = make(nap);
        order.spec.array = "0-9%4";
        order.elements = 10;
        break;
      }
      case 10: {
        Order& order = make("[ $DROVER_ARRAY_INDEX != 4 ]", {State::kFailed});
        order.spec.array = "0-8:2";
        order.elements = 5;
        order.elements_failed = 1;
        order.reason = Reason::kElements;
        break;
      }
      case 11: {
        Order& order = make("exec sleep 1000", {State::kCancelled});
        order.cancel = true;
        order.reason = Reason::kCancelledByUser;
        order.begins_min = 0;
        break;
      }
      case 12: {
        Order& order = make("exec sleep 1000", {State::kFailed});
        order.spec.time_limit = milliseconds(300);
        order.begins_min = 0;  // a busy machine may not get to its first line in that time
        order.reason = Reason::kTimeLimit;
        break;
      }
      case 13: {
        Order& order = make(absl::StrCat("echo $DROVER_TASK_ID > $DROVER_RESULT; ", nap));
        order.spec.on_disconnect = client::OnDisconnect::kStop;
        order.spec.delay = milliseconds(random->Below(2'000));
        break;
      }
      default:
        break;
    }
  }
  return orders;
}

}  // namespace drover::chaos::tasks
