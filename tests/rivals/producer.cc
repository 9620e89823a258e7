#include "tests/rivals/producer.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "tests/rivals/places.h"
#include "tests/support/await.h"

namespace drover::rivals {

Producer::Producer(const std::vector<std::string>& endpoints) {
  coord::BlockingOptions options;
  options.session.endpoints = endpoints;
  options.session.timeout = std::chrono::minutes(2);
  options.session.name = "producer";
  auto client = coord::BlockingClient::Connect(options);
  if (!client.ok()) throw std::runtime_error(client.status().ToString());
  client_ = *std::move(client);
  client_->OnLoop([this](coord::Session& session) {
    queue_ = std::make_unique<recipes::Queue>(&session, recipes::QueueOptions{.path = kQueuePath, .producer = "test"});
  });
}

Producer::~Producer() {
  client_->OnLoop([this](coord::Session&) { queue_.reset(); });
}

void Producer::Put() {
  {
    const std::lock_guard lock(mu_);
    ++under_way_;
  }
  client_->OnLoop([this](coord::Session&) {
    queue_->Put("", {}, [this](const absl::StatusOr<std::string>& name) {
      const std::lock_guard lock(mu_);
      --under_way_;
      if (name.ok()) {
        put_.insert(*name);
      } else {
        refused_ = name.status().ToString();
      }
    });
  });
}

std::set<std::string> Producer::AwaitPut() {
  const bool done = testing::Await([this] {
    const std::lock_guard lock(mu_);
    return under_way_ == 0;
  });
  const std::lock_guard lock(mu_);
  if (!done || !refused_.empty()) throw std::runtime_error(absl::StrCat("not all items were put: ", refused_));
  return put_;
}

bool Producer::AwaitEmpty() {
  return testing::Await([this] {
    const auto items = client_->Exists(absl::StrCat(kQueuePath, "/items"));
    return items.ok() && items->stat.has_value() && items->stat->num_children == 0;
  });
}

}  // namespace drover::rivals
