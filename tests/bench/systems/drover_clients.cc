#include "tests/bench/systems/drover_clients.h"

#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/bench/latch.h"

namespace drover::bench {
namespace {

constexpr char kSessionMethod[] = "/drover.coord.v1.Coordination/Session";
constexpr std::chrono::seconds kCloseLimit{1};

}  // namespace

DroverClients::DroverClients(const std::vector<std::string>& addresses, int count, int first) {
  thread_.RunOnLoop([&] {
    dialer_ = std::make_unique<transport::GrpcDialer>(thread_.loop(), kSessionMethod);
    for (int i = 0; i < count; ++i) {
      coord::SessionOptions options;
      options.endpoints = addresses;
      options.first_endpoint = static_cast<std::size_t>(first + i);
      options.name = absl::StrCat("bench-", i);
      sessions_.push_back(coord::Session::Open(thread_.loop(), dialer_.get(), std::move(options)));
    }
  });
}

DroverClients::~DroverClients() {
  auto closed = std::make_shared<Latch>(count());
  thread_.RunOnLoop([&] {
    for (const auto& session : sessions_) session->Close([closed](const absl::Status&) { closed->CountDown(); });
  });
  static_cast<void>(closed->WaitFor(kCloseLimit));  // a service that is away ends them by their time-out
  thread_.RunOnLoop([&] {
    sessions_.clear();
    dialer_.reset();
  });
}

void DroverClients::Run(int /*client*/, absl::AnyInvocable<void()> task) {
  thread_.loop()->PostFromAnyThread(std::move(task));
}

void DroverClients::Issue(int client, Operation operation, const std::string& key, const std::string& value, Done done) {
  coord::Session& session = *sessions_[static_cast<std::size_t>(client)];
  switch (operation) {
    case Operation::kCreate:
      session.Create(key, value, {.parents = true}, [done = std::move(done)](absl::StatusOr<coord::CreateResult> made) mutable {
        done(coord::IsNodeExists(made.status()) ? absl::OkStatus() : made.status());
      });
      return;
    case Operation::kSet:
      session.Set(key, value, std::nullopt,
                  [done = std::move(done)](absl::StatusOr<coord::SetResult> set) mutable { done(set.status()); });
      return;
    case Operation::kGet:
    case Operation::kLocalGet:
      session.Get(key, [done = std::move(done)](absl::StatusOr<coord::GetResult> got) mutable { done(got.status()); },
                  {.local = operation == Operation::kLocalGet});
      return;
  }
}

}  // namespace drover::bench
