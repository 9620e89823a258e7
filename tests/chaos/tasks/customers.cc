#include "tests/chaos/tasks/customers.h"

#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/random.h"
#include "drover/client/task_client.h"

namespace drover::chaos::tasks {

Customers::Customers(CustomersOptions options) : options_(std::move(options)) {
  for (int i = 0; i < options_.customers; ++i) threads_.emplace_back([this, i] { Serve(i); });
}

Customers::~Customers() {
  Finish();
}

void Customers::Finish() {
  finishing_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Customers::Fault(std::string what) {
  const std::lock_guard lock(mu_);
  faults_.push_back(std::move(what));
}

void Customers::Serve(int customer) {
  base::SeededRandom random(options_.seed * 1'000 + static_cast<std::uint64_t>(customer));
  // Whatever is hit heals within seconds: no call may be in vain.
  auto client = client::TaskClient::Create({.coord = options_.coords, .request_timeout = options_.patience});
  if (!client.ok()) return Fault(client.status().ToString());
  for (int round = 1; !finishing_; ++round) {
    std::vector<Order>* orders = nullptr;
    {
      const std::string prefix = absl::StrCat("c", customer, "-", round);
      const std::lock_guard lock(mu_);
      orders = &orders_.emplace_back(MakeOrders(&random, prefix, options_.batch, options_.witness));
    }
    std::vector<client::TaskSpec> specs;
    std::vector<std::string> ids, to_cancel;
    std::map<std::string, Story> stories;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    for (const Order& order : *orders) {
      specs.push_back(order.spec);
      ids.push_back(order.spec.id);
      if (order.cancel) to_cancel.push_back(order.spec.id);
      Story& story = stories[order.spec.id];
      story.order = &order;
      story.submitted_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    }
    const auto submitted = (*client)->SubmitAll(&specs);
    if (!submitted.ok()) return Fault(absl::StrCat("a submission was not answered: ", submitted.status().ToString()));
    for (const client::SubmitResult& result : *submitted) {
      if (result.outcome != client::SubmitOutcome::kAccepted)
        Fault(absl::StrCat("task ", result.id, " was refused: ", result.sentence));
    }
    ordered_ += ids.size();
    if (!to_cancel.empty()) {
      const auto cancelled = (*client)->Cancel(to_cancel, "the customer has thought better of it");
      if (!cancelled.ok()) return Fault(absl::StrCat("a cancellation was not answered: ", cancelled.status().ToString()));
      for (const client::CancelResult& result : *cancelled) {
        if (result.outcome != client::CancelOutcome::kCancelled) {
          Fault(absl::StrCat("task ", result.id, " cannot be cancelled: ", result.sentence));
        }
      }
    }
    const auto deadline = std::chrono::steady_clock::now() + options_.patience;
    const absl::Status watched = (*client)->Watch(
        ids,
        [&stories](const client::Task& task) {
          Story& story = stories.at(task.id);
          story.states.push_back(task.state);
          story.last = task;
          return true;
        },
        [this](const std::string& id) { Fault(absl::StrCat("task ", id, " was acknowledged and is not there")); }, deadline);
    if (!watched.ok()) Fault(absl::StrCat("not all tasks of ", ids.front(), " and the like ended: ", watched.ToString()));
    const std::lock_guard lock(mu_);
    for (auto& [id, story] : stories) stories_.push_back(std::move(story));
  }
}

}  // namespace drover::chaos::tasks
