#include "tests/sim/run/client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/run/machines.h"

namespace drover::sim::run {

using std::chrono::milliseconds;

namespace {

check::Code CodeOf(const absl::Status& status) {
  const std::optional<coord::Code> refusal = coord::RefusalOf(status);
  return status.ok() ? check::Code::kOk : static_cast<check::Code>(refusal.value_or(coord::Code::kUnavailable));
}

}  // namespace

// Writes down what one watch tells.
class Client::Listener final : public coord::WatchListener {
 public:
  Listener(Client* client, std::string root, coord::WatchOptions options)
      : client_(client), root_(std::move(root)), options_(options) {
    // One that resumes may hear before it is told that it stands.
    if (options_.after) Begin({options_.after->zxid, options_.after->ordinal});
  }

  void OnArmed(base::Zxid zxid) override {
    if (!options_.after) Begin({zxid, check::Position::kAll});
    armed_ = true;
  }
  void OnEvent(const coord::Event& event) override {
    client_->tale().order.sightings.push_back({client_->history_->Next(), event.zxid});
    if (trace_ == nullptr) return client_->journal_->Fail(absl::InternalError("an event of a watch that does not stand"));
    check::Delivery delivery;
    delivery.event.position = {event.zxid, event.ordinal};
    delivery.event.type = static_cast<check::EventType>(event.type);
    delivery.event.path = event.path;
    delivery.event.data = event.data;
    client_->journal_->Note("client ", client_->id_, " hears ", check::TextOf(delivery.event));
    trace_->deliveries.push_back(std::move(delivery));
    if (coord::HearsOnce(options_.kind)) Again(event.position());
  }
  void OnProgress(base::Zxid zxid) override {
    client_->tale().order.sightings.push_back({client_->history_->Next(), zxid});
    OnZxid(check::Delivery::What::kBookmark, zxid);
  }
  void OnCompacted() override {
    client_->journal_->Note("client ", client_->id_, ": watch of ", root_, " is compacted");
    Again(std::nullopt);
  }
  void OnEnded(const absl::Status&) override { trace_ = nullptr; }

  void OnZxid(check::Delivery::What what, base::Zxid zxid) {
    // Before it stands answers to what was asked earlier may come.
    if (trace_ == nullptr || !armed_) return;
    check::Delivery delivery;
    delivery.what = what;
    delivery.zxid = zxid;
    trace_->deliveries.push_back(delivery);
  }
  void Settled(base::Zxid zxid) {
    if (trace_ != nullptr) trace_->settled = zxid;
  }

 private:
  void Begin(check::Position after) {
    Tale& tale = client_->tale();
    check::WatchTrace trace;
    trace.name = absl::StrCat("of client ", client_->id_, ", session ", tale.order.session.value);
    trace.root = root_;
    trace.after = after;
    trace.with_data = options_.with_data;
    trace.kind = static_cast<check::WatchKind>(options_.kind);
    tale.watches.push_back(std::move(trace));
    trace_ = &tale.watches.back();
    client_->journal_->Note("client ", client_->id_, " watches ", root_, " as ", static_cast<int>(options_.kind), " from ",
                            after.zxid.value);
  }
  // Another watch, from there on or from now on.
  void Again(std::optional<coord::Position> after) {
    trace_ = nullptr;
    Client* client = client_;
    client->loop_->Post([client, process = client->process_, after] {
      if (client->process_ == process) client->Watch(after);
    });
  }

  Client* const client_;
  const std::string root_;
  const coord::WatchOptions options_;
  check::WatchTrace* trace_ = nullptr;  // of what it is told
  bool armed_ = false;
};

Client::Client(SimWorld* world, SimNetwork* network, Journal* journal, check::History* history, const Witness* witness,
               const Plan& plan, int id)
    : world_(world),
      network_(network),
      journal_(journal),
      history_(history),
      witness_(witness),
      plan_(plan),
      id_(id),
      random_(plan.seed * 1'000 + static_cast<std::uint64_t>(id)) {}

Client::~Client() {
  session_.reset();
  if (loop_) loop_->Stop();
}

void Client::Begin() {
  loop_ = std::make_unique<SimLoop>(world_);
  dialer_ = network_->NewDialer(loop_.get(), Host(id_));
  ++process_;
  Open();
  CallLater();
}

void Client::Open() {
  listeners_.clear();
  told_ = probing_ = false;
  in_flight_ = 0;
  versions_.clear();
  coord::SessionOptions options;
  for (int node = 1; node <= plan_.nodes + plan_.spares; ++node) options.endpoints.push_back(Machines::ClientAddress(node));
  options.first_endpoint = random_.Below(options.endpoints.size());
  options.timeout = plan_.session_timeout;
  if (plan_.graces && id_ % 2 == 0) options.disconnect_grace = milliseconds(300);
  options.name = Host(id_);
  session_ = std::make_unique<coord::client::SessionMachine>(loop_.get(), dialer_.get(), options);
  session_->AddObserver(this);
}

void Client::OnConnected() {
  if (told_) return;
  told_ = true;
  tales_.emplace_back();
  tale().order.session = tale().life.session = session_->id();
  tale().life.timeout = session_->timeout();
  tale().life.disconnect_grace = plan_.graces && id_ % 2 == 0 ? milliseconds(300) : milliseconds(0);
  journal_->Note("client ", id_, " has session ", session_->id().value);
  Sample();
  for (int i = 0; i < 2; ++i) Watch(std::nullopt);
}

void Client::OnSuspended(const absl::Status& why) {
  journal_->Note("client ", id_, " is suspended: ", why.message());
  NoteLinkBreak();
}

void Client::OnExpired(const absl::Status& why) {
  journal_->Note("client ", id_, " lost its session: ", why.message());
  if (told_) tale().life.last_sign = world_->Now();
  loop_->Post([this, process = process_] {
    if (process_ == process) Open();
  });
}

void Client::NoteLinkBreak() {
  if (told_) tale().life.link_breaks.push_back(world_->Now());
}

void Client::Sample() {
  if (!told_ || session_ == nullptr || session_->lease_deadline().time_since_epoch().count() == 0) return;
  const base::Instant sent = session_->lease_deadline() - session_->timeout();
  std::vector<base::Instant>& acknowledged = tale().life.acknowledged;
  if (acknowledged.empty() || acknowledged.back() < sent) acknowledged.push_back(sent);
}

void Client::Kill(base::Duration down_for) {
  if (loop_ == nullptr) return;
  if (told_) {
    Sample();
    NoteLinkBreak();
    tale().life.last_sign = world_->Now();
  }
  network_->Kill(Host(id_));
  session_.reset();
  listeners_.clear();
  dialer_.reset();
  loop_->Stop();
  loop_.reset();
  told_ = probing_ = false;
  in_flight_ = 0;
  ++process_;
  world_->Schedule(nullptr, down_for, [this, process = process_] {
    if (process_ == process) Begin();
  });
}

// ---- records ----

Client::Call Client::NewCall(std::optional<check::Operation> operation, bool is_write, bool local) {
  ++in_flight_;
  Call call;
  call.tale = tales_.size() - 1;
  call.is_write = is_write;
  call.local = local;
  call.floor = witness_->state().last_zxid();
  call.sent = history_->Next();
  call.streams = session_->streams();
  if (is_write) call.number = ++tale().writes;
  if (operation) {
    operation->client = static_cast<std::uint64_t>(id_);
    call.operation = history_->Invoked(*std::move(operation));
    if (is_write) tale().recorded_writes.emplace_back(*call.operation, call.number);
  }
  return call;
}

void Client::Answered(const Call& call, const absl::Status& status, base::Zxid zxid, check::Result result,
                      const std::string& what) {
  --in_flight_;
  ++answers_;
  if (!status.ok()) zxid = coord::RefusalZxid(status);
  journal_->Note("client ", id_, " ", what, ": ", status.ok() ? "ok" : status.ToString(), " ", zxid.value);
  if (coord::IsOutcomeUnknown(status)) return;
  if (!status.ok()) result.code = CodeOf(status);
  const check::Stamp received = history_->Next();
  if (call.operation && (call.is_write || status.ok() || coord::RefusalOf(status).has_value())) {
    history_->Returned(*call.operation, result, zxid);
  }
  if (zxid.value == 0) return;
  // The whole tree is one object: what was committed anywhere when the call was made is in the state that answers.
  if (!call.local && (zxid < call.floor || (call.is_write && status.ok() && zxid == call.floor))) {
    journal_->Fail(absl::InternalError(absl::StrCat("client ", id_, " ", what, " and is answered by the state at zxid ", zxid.value,
                                                    "; ", call.floor.value, " was committed when it asked")));
  }
  Tale& of = tales_[call.tale];
  // A read may have been asked again on a later stream; nobody but the client knows when.
  const check::Stamp last_sent = !call.is_write && call.streams != session_->streams() ? received : call.sent;
  of.order.requests.push_back({call.is_write, call.is_write && status.ok(), call.sent, last_sent, received, zxid});
  if (call.is_write && status.ok()) of.acknowledged.push_back({of.order.session, call.number, zxid});
  for (const auto& listener : listeners_) listener->OnZxid(check::Delivery::What::kAnswer, zxid);
}

template <typename T, typename Fill>
coord::Callback<T> Client::Done(Call call, std::string what, Fill fill) {
  return [this, call, what = std::move(what), fill = std::move(fill)](absl::StatusOr<T> answer) mutable {
    check::Result result;
    base::Zxid zxid;
    if (answer.ok()) zxid = fill(*answer, &result);
    Answered(call, answer.status(), zxid, std::move(result), what);
  };
}

// ---- load ----

std::string Client::Register() {
  return absl::StrCat(kRegisters, "/", random_.Below(plan_.registers));
}

std::string Client::Lock() {
  return absl::StrCat(kLocks, "/", random_.Below(plan_.locks));
}

std::string Client::Data() {
  std::string data = absl::StrCat(id_, "-", ++values_, "-");
  data.resize(std::max<std::size_t>(data.size(), random_.Below(plan_.data_bytes_max + 1)), 'd');
  return data;
}

std::optional<std::uint32_t> Client::Guess(const std::string& path) {
  const auto known = versions_.find(path);
  if (known == versions_.end() || random_.Below(2) == 0) return std::nullopt;
  return known->second;
}

void Client::MakeParents() {
  if (!told_ || in_flight_ > 0) return;
  auto left = std::make_shared<int>(4);
  const auto made = [this, left](const absl::Status& status) {
    if (status.ok() || coord::IsNodeExists(status)) --*left;
    if (*left == 0) parents_made_ = true;
  };
  for (const char* parent : {kRegisters, kLocks, kQueue, kProbes}) {
    session_->Create(parent, "", {},
                     [this, made, call = NewCall(std::nullopt, true),
                      what = absl::StrCat("creates ", parent)](const absl::StatusOr<coord::CreateResult>& answer) {
                       Answered(call, answer.status(), answer.ok() ? answer->zxid : base::Zxid(), {}, what);
                       made(answer.status());
                     },
                     {});
  }
}

void Client::CallLater() {
  const auto delay =
      base::Duration(static_cast<std::int64_t>(random_.Below(static_cast<std::uint64_t>(plan_.think.count() * 2) + 1)));
  static_cast<void>(loop_->After(delay, [this] {
    if (loading_ && told_ && calls_ < plan_.calls_max && in_flight_ < plan_.in_flight_max &&
        session_->state() != coord::SessionState::kExpired) {
      ++calls_;
      CallOne();
    }
    CallLater();
  }));
}

int Client::attached_to() const {
  const std::optional<std::size_t> endpoint = loop_ == nullptr ? std::nullopt : session_->endpoint();
  return endpoint ? static_cast<int>(*endpoint) + 1 : 0;
}

void Client::Hurry(std::size_t calls) {
  if (loop_ == nullptr) return;
  loop_->Post([this, calls, process = process_] {
    if (process_ != process || !loading_ || !told_ || session_->state() == coord::SessionState::kExpired) return;
    for (std::size_t i = 0; i < calls && in_flight_ < 64; ++i) CallOne();
  });
}

void Client::CallOne() {
  // Some do little but read: what they know of is old when they come to a node that is behind.
  if (plan_.readers && id_ % 2 == 1 && random_.Below(10) > 0) return CallRegister(33 + random_.Below(27));
  const std::uint64_t pick = random_.Below(100);
  if (pick < 60) return CallRegister(pick);
  if (pick < 68) return CallTransaction();
  if (pick < 90) return CallLock(pick);
  if (pick < 95) {
    session_->Create(absl::StrCat(kQueue, "/n-"), Data(), {.sequential = true},
                     Done<coord::CreateResult>(NewCall(std::nullopt, true), "queues",
                                               [](const coord::CreateResult& made, check::Result*) { return made.zxid; }),
                     {});
    return;
  }
  session_->Sync(Done<base::Zxid>(NewCall(std::nullopt, false), "syncs", [](base::Zxid zxid, check::Result*) { return zxid; }), {});
}

void Client::CallRegister(std::uint64_t pick) {
  check::Operation operation;
  operation.path = Register();
  const std::string path = operation.path;
  if (pick < 20) {
    operation.kind = check::Kind::kSet;
    operation.data = Data();
    operation.expected_version = Guess(path);
    const std::string what = absl::StrCat("sets ", path, " to ", operation.data.substr(0, 12));
    const std::string data = operation.data;
    const std::optional<std::uint32_t> version = operation.expected_version;
    session_->Set(path, data, version,
                  Done<coord::SetResult>(NewCall(std::move(operation), true), what,
                                         [this, path](const coord::SetResult& set, check::Result* result) {
                                           result->version = versions_[path] = set.stat.version;
                                           return set.zxid;
                                         }),
                  {});
  } else if (pick < 28) {
    operation.kind = check::Kind::kCreate;
    operation.data = Data();
    const std::string data = operation.data;
    session_->Create(path, data, {},
                     Done<coord::CreateResult>(NewCall(std::move(operation), true), absl::StrCat("creates ", path),
                                               [this, path](const coord::CreateResult& made, check::Result* result) {
                                                 result->version = versions_[path] = made.stat.version;
                                                 return made.zxid;
                                               }),
                     {});
  } else if (pick < 33) {
    operation.kind = check::Kind::kDelete;
    operation.expected_version = Guess(path);
    const std::optional<std::uint32_t> version = operation.expected_version;
    session_->Delete(path, version,
                     Done<coord::DeleteResult>(NewCall(std::move(operation), true), absl::StrCat("deletes ", path),
                                               [](const coord::DeleteResult& gone, check::Result*) { return gone.zxid; }),
                     {});
  } else if (pick < 54) {
    // What the node at hand has is ordered within the session, but not linearizable.
    const bool local = pick >= 49;
    operation.kind = check::Kind::kGet;
    std::optional<check::Operation> recorded;
    if (!local) recorded = operation;
    session_->Get(
        path,
        Done<coord::GetResult>(NewCall(std::move(recorded), false, local), absl::StrCat(local ? "peeks at " : "gets ", path),
                               [this, path](const coord::GetResult& got, check::Result* result) {
                                 result->version = versions_[path] = got.node.stat.version;
                                 result->data = got.node.data;
                                 return got.zxid;
                               }),
        {.local = local});
  } else {
    operation.kind = check::Kind::kExists;
    session_->Exists(path,
                     Done<coord::ExistsResult>(NewCall(std::move(operation), false), absl::StrCat("looks for ", path),
                                               [](const coord::ExistsResult& got, check::Result* result) {
                                                 if (!got.stat) result->code = check::Code::kNoNode;
                                                 if (got.stat) result->version = got.stat->version;
                                                 return got.zxid;
                                               }),
                     {});
  }
}

void Client::CallTransaction() {
  check::Operation operation;
  operation.kind = check::Kind::kTransaction;
  coord::Transaction transaction;
  const std::string tested = Register();
  const std::string written = Register();
  const std::uint32_t version = versions_.contains(tested) ? versions_[tested] : 0;
  operation.path = tested;
  operation.compares.push_back({tested, check::Compare::Field::kVersion, version});
  transaction.compares.push_back(coord::Compare::Version(tested, version));
  const std::string yes = Data();
  const std::string no = Data();
  operation.then.push_back({check::Kind::kSet, written, yes, std::nullopt, {}});
  transaction.then.push_back(coord::Operation::Set(written, yes));
  operation.otherwise.push_back({check::Kind::kSet, tested, no, std::nullopt, {}});
  transaction.otherwise.push_back(coord::Operation::Set(tested, no));
  session_->Commit(
      transaction,
      Done<coord::TransactionResult>(NewCall(std::move(operation), true), absl::StrCat("commits ", tested, " -> ", written),
                                     [](const coord::TransactionResult& done, check::Result* result) {
                                       result->succeeded = done.succeeded;
                                       return done.zxid;
                                     }),
      {});
}

void Client::CallLock(std::uint64_t pick) {
  check::Operation operation;
  operation.path = Lock();
  const std::string path = operation.path;
  if (pick < 79) {
    operation.kind = check::Kind::kCreate;
    operation.data = Data();
    operation.owner = session_->id();
    const std::string data = operation.data;
    session_->Create(path, data, {.ephemeral = true},
                     Done<coord::CreateResult>(NewCall(std::move(operation), true), absl::StrCat("locks ", path),
                                               [](const coord::CreateResult& made, check::Result* result) {
                                                 result->version = made.stat.version;
                                                 return made.zxid;
                                               }),
                     {});
  } else if (pick < 84) {
    operation.kind = check::Kind::kDelete;
    session_->Delete(path, std::nullopt,
                     Done<coord::DeleteResult>(NewCall(std::move(operation), true), absl::StrCat("frees ", path),
                                               [](const coord::DeleteResult& gone, check::Result*) { return gone.zxid; }),
                     {});
  } else {
    operation.kind = check::Kind::kChildren;
    operation.path = kLocks;
    session_->Children(kLocks, "", 0,
                       Done<coord::ChildrenPage>(NewCall(std::move(operation), false), "lists the locks",
                                                 [](const coord::ChildrenPage& page, check::Result* result) {
                                                   result->names = page.names;
                                                   return page.zxid;
                                                 }),
                       {});
  }
}

void Client::Watch(std::optional<coord::Position> after) {
  const std::uint64_t pick = random_.Below(4);
  const std::string root = pick == 0 ? "/" : pick == 1 ? kRegisters : pick == 2 ? kLocks : Register();
  // Half of them hear of all below the node; the others of the other kinds.
  const std::uint64_t kind = random_.Below(6);
  const coord::WatchOptions options{.kind = kind < 3 ? coord::WatchKind::kRecursive : static_cast<coord::WatchKind>(kind - 1),
                                    .with_data = random_.Below(2) == 0,
                                    .after = after};
  listeners_.push_back(std::make_unique<Listener>(this, root, options));
  session_->Watch(root, options, listeners_.back().get());
}

// ---- the end ----

void Client::Probe() {
  if (!told_ || probing_ || session_->state() == coord::SessionState::kExpired) return;
  if (!probe_) probe_ = check::Probe{absl::StrCat("the probe of client ", id_), world_->Now(), std::nullopt};
  if (probe_->committed) return;
  probing_ = true;
  const std::string path = absl::StrCat(kProbes, "/", id_);
  session_->Create(path, "", {.sequential = true},
                   [this, call = NewCall(std::nullopt, true)](const absl::StatusOr<coord::CreateResult>& made) {
                     probing_ = false;
                     if (made.ok()) probe_->committed = world_->Now();
                     Answered(call, made.status(), made.ok() ? made->zxid : base::Zxid(), {}, "probes");
                   },
                   {});
}

void Client::Settle() {
  settled_ = false;
  session_->Sync(Done<base::Zxid>(NewCall(std::nullopt, false), "settles",
                                  [this](base::Zxid zxid, check::Result*) {
                                    for (const auto& listener : listeners_) listener->Settled(zxid);
                                    settled_ = true;
                                    return zxid;
                                  }),
                 {});
}

std::string Client::Text() const {
  return absl::StrCat("client ", id_, ": ",
                      session_ == nullptr ? "down" : absl::StrCat("state ", static_cast<int>(session_->state())), ", ", in_flight_,
                      " in flight, last break: ", session_ == nullptr ? "" : session_->last_break().ToString());
}

}  // namespace drover::sim::run
