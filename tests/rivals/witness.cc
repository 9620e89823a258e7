#include "tests/rivals/witness.h"

#include <stdexcept>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/support/await.h"

namespace drover::rivals {
namespace {

constexpr char kMarkPath[] = "/witness";

}  // namespace

Witness::Witness(const std::vector<std::string>& endpoints) {
  coord::BlockingOptions options;
  options.session.endpoints = endpoints;
  options.session.timeout = std::chrono::minutes(2);
  options.session.name = "witness";
  auto client = coord::BlockingClient::Connect(options);
  if (!client.ok()) throw std::runtime_error(client.status().ToString());
  client_ = *std::move(client);
  if (const auto made = client_->Create(kMarkPath, ""); !made.ok()) throw std::runtime_error(made.status().ToString());
  thread_ = std::thread([this] {
    static_cast<void>(client_->Watch(
        "/", {},
        [this](const coord::Event& event) {
          const std::lock_guard lock(mu_);
          if (event.path == kMarkPath) static_cast<void>(absl::SimpleAtoi(event.data, &seen_));
          events_.push_back(event);
          return true;
        },
        [this] { return stop_.load(); }));
    const std::lock_guard lock(mu_);
    ended_ = true;
  });
  if (!AwaitMark()) {
    stop_ = true;
    thread_.join();
    throw std::runtime_error("the witness sees nothing");
  }
}

Witness::~Witness() {
  stop_ = true;
  thread_.join();
}

std::vector<coord::Event> Witness::Events() {
  if (!AwaitMark()) throw std::runtime_error("the witness is not told of all");
  const std::lock_guard lock(mu_);
  return events_;
}

bool Witness::AwaitMark() {
  const std::uint64_t first = marks_ + 1;
  bool seen = false;
  static_cast<void>(testing::Await([&] {
    // One that is refused is followed by another.
    static_cast<void>(client_->Set(kMarkPath, absl::StrCat(++marks_)));
    const std::lock_guard lock(mu_);
    seen = seen_ >= first;
    return seen || ended_;
  }));
  return seen;
}

}  // namespace drover::rivals
