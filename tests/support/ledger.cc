#include "tests/support/ledger.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "drover/coord/blocking.h"
#include "drover/coord/status.h"
#include "tests/support/await.h"

namespace drover::testing {
namespace {

constexpr char kRoot[] = "/ledger";
constexpr int kReadEvery = 8;

std::unique_ptr<coord::BlockingClient> Connect(const std::vector<std::string>& endpoints, std::size_t first) {
  coord::BlockingOptions options;
  options.session.endpoints = endpoints;
  options.session.first_endpoint = first;
  options.session.name = absl::StrCat("ledger-", first);
  options.call_timeout = kDeadline;  // what is written is waited for, however long the core is away
  absl::StatusOr<std::unique_ptr<coord::BlockingClient>> client = coord::BlockingClient::Connect(options);
  return client.ok() ? *std::move(client) : nullptr;
}

}  // namespace

Ledger::Ledger(std::string endpoints, int writers) : endpoints_(absl::StrSplit(std::move(endpoints), ',')) {
  for (int i = 0; i < writers; ++i) threads_.emplace_back([this, i] { Write(i); });
}

Ledger::~Ledger() {
  Stop();
}

void Ledger::Write(int writer) {
  std::unique_ptr<coord::BlockingClient> client;
  for (int n = 0; !stopping(); ++n) {
    if (client == nullptr || client->expired()) client = Connect(endpoints_, static_cast<std::size_t>(writer));
    if (client == nullptr) continue;
    const std::string name = absl::StrCat(writer, "-", n);
    const std::string path = absl::StrCat(kRoot, "/", name);
    coord::CreateOptions how;
    how.parents = true;
    const absl::Status made = client->Create(path, name, how).status();
    if (!made.ok()) {
      // NODE_EXISTS too: nobody else makes this node, so a retry was not recognised as one.
      const bool ended = coord::IsOutcomeUnknown(made) || coord::RefusalOf(made) == coord::Code::kSessionExpired;
      if (!ended) Fault(absl::StrCat(path, ": ", made.ToString()));
      const std::lock_guard lock(mu_);
      unknown_.insert(name);
      continue;
    }
    {
      const std::lock_guard lock(mu_);
      acknowledged_.insert(name);
    }
    if (n % kReadEvery != 0) continue;
    const absl::StatusOr<coord::GetResult> got = client->Get(path);
    if (got.ok() && got->node.data != name) Fault(absl::StrCat(path, " reads \"", got->node.data, "\""));
    if (!got.ok() && coord::RefusalOf(got.status()) == coord::Code::kNoNode) {
      Fault(absl::StrCat(path, " was acknowledged and cannot be read after it"));
    }
  }
}

bool Ledger::stopping() const {
  const std::lock_guard lock(mu_);
  return stopping_;
}

void Ledger::Fault(std::string what) {
  const std::lock_guard lock(mu_);
  faults_.push_back(std::move(what));
}

std::size_t Ledger::acknowledged() const {
  const std::lock_guard lock(mu_);
  return acknowledged_.size();
}

std::size_t Ledger::unknown() const {
  const std::lock_guard lock(mu_);
  return unknown_.size();
}

bool Ledger::AwaitMore(std::size_t count) const {
  const std::size_t before = acknowledged();
  return Await([&] { return acknowledged() >= before + count; });
}

void Ledger::Stop() {
  {
    const std::lock_guard lock(mu_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::vector<std::string> Ledger::Faults() {
  const std::unique_ptr<coord::BlockingClient> client = Connect(endpoints_, 0);
  if (client == nullptr) return {"nobody answers"};
  const absl::StatusOr<std::vector<std::string>> names = client->Children(kRoot);
  if (!names.ok()) return {absl::StrCat("the ledger cannot be read: ", names.status().ToString())};
  const std::set<std::string> there(names->begin(), names->end());
  const std::lock_guard lock(mu_);
  std::vector<std::string> faults = faults_;
  for (const std::string& name : acknowledged_) {
    if (!there.contains(name)) faults.push_back(absl::StrCat(name, " was acknowledged and is missing"));
  }
  for (const std::string& name : there) {
    if (!acknowledged_.contains(name) && !unknown_.contains(name)) faults.push_back(absl::StrCat(name, ": nobody made it"));
  }
  return faults;
}

}  // namespace drover::testing
