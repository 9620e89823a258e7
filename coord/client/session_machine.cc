#include "coord/client/session_machine.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"

namespace drover::coord::client {
namespace {

// A frame is at most 8 MiB; what is not the request itself takes less than this.
constexpr std::size_t kRequestBytesMax = (std::size_t{8} << 20) - (std::size_t{64} << 10);
// An Open waits for a commit, so it is given more time than a node that only has to recognise a session.
constexpr base::Duration kOpenLimitMin = std::chrono::seconds(1);
// Without acknowledgement for a third of the time-out a node is left; the second third finds another one, the last is spare.
constexpr int kContactsPerTimeout = 3;

std::uint32_t Millis(base::Duration d) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(base::ToMillis(d), 0, INT32_MAX));
}

// Statuses of a stream after which trying again does not help.
bool IsFinal(const absl::Status& status, bool has_session) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return true;
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kUnauthenticated:
      return has_session;
    default:
      return false;
  }
}

}  // namespace

SessionMachine::SessionMachine(base::Loop* loop, base::Dialer* dialer, SessionOptions options)
    : loop_(loop),
      dialer_(dialer),
      options_(std::move(options)),
      chroot_(options_.chroot),
      alive_(std::make_shared<bool>(true)),
      timeout_(options_.timeout),
      breaks_(options_.endpoints),
      queue_({options_.pending_requests_max, options_.pending_bytes_max}),
      watches_(options_.endpoints.size(), alive_),
      redial_(options_.endpoints.size(), options_.first_endpoint, options_.redial_min, options_.redial_max),
      redial_timer_(loop),
      attempt_timer_(loop),
      contact_timer_(loop),
      lease_timer_(loop),
      deadline_timer_(loop) {
  DialNext();
}

SessionMachine::~SessionMachine() {
  *alive_ = false;
  if (link_ != nullptr) Retire(std::move(link_), false);
  if (attempt_ != nullptr) Retire(std::move(attempt_), false);
}

void SessionMachine::AddObserver(SessionObserver* observer) {
  observers_.push_back(observer);
}

void SessionMachine::RemoveObserver(SessionObserver* observer) {
  observers_.erase(std::remove(observers_.begin(), observers_.end(), observer), observers_.end());
}

template <typename Event>
void SessionMachine::Tell(Event event) {
  const Alive alive = alive_;
  const std::vector<SessionObserver*> observers = observers_;
  for (SessionObserver* observer : observers) {
    if (std::find(observers_.begin(), observers_.end(), observer) == observers_.end()) continue;  // removed by one before it
    event(observer);
    if (!*alive) return;
  }
}

std::optional<SessionTicket> SessionMachine::ticket() const {
  if (id_ == SessionId()) return std::nullopt;
  return SessionTicket{id_, secret_};
}

// ---- links ----

base::Duration SessionMachine::attempt_limit() const {
  const base::Duration third = timeout_ / kContactsPerTimeout;
  return id_ == SessionId() ? std::max(third, kOpenLimitMin) : third;
}

void SessionMachine::DialNext() {
  const Redial::Dial next = redial_.Next();
  redial_timer_.Set(next.delay, [this, next] { Dial(next.endpoint); });
}

void SessionMachine::Dial(std::size_t endpoint) {
  redial_timer_.Cancel();
  attempt_ = std::make_unique<Link>(static_cast<Link::Owner*>(this), dialer_, options_.endpoints[endpoint], endpoint, loop_->Now());
  attempt_->resuming = id_ != SessionId();
  std::string frame;
  if (attempt_->resuming) {
    AppendResume(&frame, id_, secret_, seen_zxid_, ++resumes_);
  } else {
    AppendOpen(&frame, Millis(options_.timeout), Millis(options_.disconnect_grace), options_.name);
  }
  attempt_->Send(std::move(frame));
  attempt_timer_.Set(attempt_limit(),
                     [this] { AttemptFailed(absl::DeadlineExceededError("no answer in time"), /*answered=*/false); });
}

void SessionMachine::Retire(std::unique_ptr<Link> link, bool end) {
  link->Detach(end);
  if (callback_depth_ > 0) loop_->Post([retired = std::move(link)] {});
}

void SessionMachine::AttemptFailed(const absl::Status& why, bool answered) {
  attempt_timer_.Cancel();
  const std::size_t endpoint = attempt_->endpoint;
  (void)breaks_.Add(endpoint, why, answered);
  Retire(std::move(attempt_), false);
  watches_.OnUnreachable(endpoint);
  if (link_ == nullptr) {
    DialNext();
  } else {
    MoveIfAsked();
  }
}

void SessionMachine::LinkBroke(const absl::Status& how, bool answered) {
  contact_timer_.Cancel();
  const absl::Status why = breaks_.Add(link_->endpoint, how, answered);
  Retire(std::move(link_), false);
  state_ = SessionState::kSuspended;
  if (attempt_ == nullptr) DialNext();
  Tell([&why](SessionObserver* observer) { observer->OnSuspended(why); });
}

void SessionMachine::OnLinkClosed(Link* link, base::CloseCause cause, const absl::Status& status) {
  ++callback_depth_;
  const Alive alive = alive_;
  const absl::Status why = status.ok() ? absl::UnavailableError("the node ended the stream") : status;
  const bool has_session = link == link_.get() || link->resuming;
  const bool answered = cause == base::CloseCause::kPeerClosed;
  if (answered && IsFinal(status, has_session)) {
    const bool gone = status.code() != absl::StatusCode::kInvalidArgument;
    End(gone && close_key_.has_value() ? SessionState::kClosed : SessionState::kExpired, why);
  } else if (link == link_.get()) {
    LinkBroke(why, answered);
  } else {
    AttemptFailed(why, answered);
  }
  if (*alive) --callback_depth_;
}

std::optional<std::size_t> SessionMachine::endpoint() const {
  if (link_ == nullptr) return std::nullopt;
  return link_->endpoint;
}

void SessionMachine::Attach(const GrantView& grant) {
  attempt_timer_.Cancel();
  if (id_ == SessionId()) {
    id_ = grant.session;
    secret_ = std::string(grant.secret);
    if (grant.timeout_ms > 0) timeout_ = std::chrono::milliseconds(grant.timeout_ms);
    lease_deadline_ = attempt_->opened_at + timeout_;
    SetLeaseTimer();
  }
  SawZxid(Zxid(id_.value));
  if (link_ != nullptr) Retire(std::move(link_), true);
  link_ = std::move(attempt_);
  redial_.OnAttached(link_->endpoint);
  breaks_.OnAttached();
  ++streams_;
  queue_.StartStream();
  watches_.StartStream(link_->endpoint);
  SendContact();
  ScheduleFlush();
  if (std::exchange(state_, SessionState::kConnected) != SessionState::kConnected) {
    Tell([](SessionObserver* observer) { observer->OnConnected(); });
  }
}

// A node is left without a break where it asks for that, and where it cannot resume a watch that another node may.
void SessionMachine::MoveIfAsked() {
  if (link_ == nullptr || attempt_ != nullptr) return;
  if (const std::optional<std::size_t> endpoint = watches_.EndpointToTry(link_->endpoint)) return Dial(*endpoint);
  if (link_->told_to_move && link_->move_tries + 1 < options_.endpoints.size()) {
    ++link_->move_tries;
    return Dial((link_->endpoint + link_->move_tries) % options_.endpoints.size());
  }
  const Alive alive = alive_;
  watches_.ReportCompacted();
  if (*alive && link_ != nullptr && queue_.wants_to_send()) ScheduleFlush();
}

// ---- liveness ----

void SessionMachine::SendContact() {
  link_->contact = Link::Contact{next_nonce_++, loop_->Now()};
  link_->turned_back_at_contact = queue_.turned_back();
  std::string frame;
  AppendContact(&frame, link_->contact->nonce);
  if (queue_.seen() != link_->seen_sent) {
    link_->seen_sent = queue_.seen();
    AppendSeen(&frame, link_->seen_sent);
  }
  link_->Send(std::move(frame));
  contact_timer_.Set(timeout_ / kContactsPerTimeout, [this] { OnContactTick(); });
}

void SessionMachine::OnContactTick() {
  if (link_->contact.has_value()) {
    return LinkBroke(absl::DeadlineExceededError("contacts are not acknowledged"), /*answered=*/false);
  }
  if (link_->turned_back_at_contact && queue_.turned_back()) {
    return LinkBroke(absl::InternalError("writes are left unanswered"), /*answered=*/true);
  }
  SendContact();
}

void SessionMachine::OnContactAck(const ContactAckView& ack) {
  if (!link_->contact.has_value() || link_->contact->nonce != ack.nonce) return;
  lease_deadline_ = std::max(lease_deadline_, link_->contact->sent_at + timeout_);
  if (base::WallTime(ack.time_ms) >= cluster_time_) {
    cluster_time_ = base::WallTime(ack.time_ms);
    cluster_time_heard_at_ = loop_->Now();
  }
  link_->contact.reset();
  redial_.OnWorking();
  watches_.AskAgain();
  if (lease_deadline_ <= loop_->Now()) return;
  SetLeaseTimer();
  if (std::exchange(lease_lost_, false)) Tell([](SessionObserver* observer) { observer->OnLeaseRestored(); });
}

void SessionMachine::SetLeaseTimer() {
  lease_timer_.Set(std::max(lease_deadline_ - loop_->Now(), base::Duration{0}), [this] {
    if (loop_->Now() < lease_deadline_) return SetLeaseTimer();
    lease_lost_ = true;
    Tell([](SessionObserver* observer) { observer->OnLeaseLost(); });
  });
}

// ---- frames ----

void SessionMachine::OnLinkFrame(Link* link, const base::Bytes& bytes) {
  ++callback_depth_;
  const Alive alive = alive_;
  FrameView frame;
  if (!FrameView::Parse(bytes.view(), &frame)) {
    const absl::Status why = absl::InternalError("a frame that cannot be read");
    link == link_.get() ? LinkBroke(why, /*answered=*/true) : AttemptFailed(why, /*answered=*/true);
  } else if (link == attempt_.get()) {
    // Before anybody hears that it is connected. (A node of the first level says nothing.)
    feature_level_ = std::max({feature_level_, frame.feature_level, base::kFirstFeatureLevel});
    if (!frame.grant.has_value() || (link->resuming && frame.grant->session != id_)) {
      AttemptFailed(absl::InternalError("a stream that begins without a grant"), /*answered=*/true);
    } else if (frame.grant->last_write > queue_.last_number()) {
      End(SessionState::kExpired, absl::InternalError("somebody else writes in this session"));
    } else {
      Attach(*frame.grant);
    }
  }
  // The session may have ended or be gone, and the link may be another one than before.
  if (*alive && link == link_.get()) {
    feature_level_ = std::max(feature_level_, frame.feature_level);
    if (frame.contact.has_value()) OnContactAck(*frame.contact);
    if (*alive && link == link_.get()) {
      link_->credits = std::max(link_->credits, frame.credits);
      link_->told_to_move = link_->told_to_move || frame.move;
      if (TakeItems(frame)) {
        MoveIfAsked();
        if (*alive && link_ != nullptr && (queue_.wants_to_send() || watches_.wants_to_send())) ScheduleFlush();
      }
    }
  }
  if (*alive) --callback_depth_;
}

bool SessionMachine::TakeItems(const FrameView& frame) {
  const Alive alive = alive_;
  base::RepeatedBytes items = frame.items();
  absl::string_view item;
  while (items.Next(&item)) {
    base::WireReader in(item);
    while (in.Next()) {
      if (in.Is(1, base::WireType::kBytes)) {
        AnswerView answer;
        if (!AnswerView::Parse(in.bytes(), &answer)) {
          LinkBroke(absl::InternalError("an answer that cannot be read"), /*answered=*/true);
          return false;
        }
        if (!TakeAnswer(answer)) return false;
      } else if (in.Is(2, base::WireType::kBytes)) {
        EventView event;
        if (!EventView::Parse(in.bytes(), &event)) {
          LinkBroke(absl::InternalError("an event that cannot be read"), /*answered=*/true);
          return false;
        }
        SawZxid(event.event.zxid);
        chroot_.Out(&event.event.path);
        watches_.OnEvent(event);
        if (!*alive) return false;
      }
    }
    if (!in.ok()) {
      LinkBroke(absl::InternalError("an item that cannot be read"), /*answered=*/true);
      return false;
    }
  }
  if (frame.bookmark != Zxid()) {
    SawZxid(frame.bookmark);
    watches_.OnProgress(frame.bookmark);
  }
  return *alive;
}

bool SessionMachine::TakeAnswer(const AnswerView& answer) {
  const Alive alive = alive_;
  SawZxid(answer.zxid);
  watches_.OnProgress(answer.zxid);
  if (!*alive) return false;
  if (answer.number == 0 && WatchTable::IsWatchAnswer(answer.id)) {
    watches_.OnAnswer(answer);
    return *alive;
  }
  RequestQueue::Answered answered;
  switch (queue_.OnAnswer(answer, &answered)) {
    case RequestQueue::Verdict::kStale:
    case RequestQueue::Verdict::kTurnedBack:
      return true;
    case RequestQueue::Verdict::kBroken:
      End(SessionState::kExpired, absl::InternalError("the service's numbering of this session's writes is not ours"));
      return false;
    case RequestQueue::Verdict::kAnswered:
      break;
  }
  deadlines_.Clear(answered.key);
  if (answered.key == close_key_) {
    const bool closed = answer.code == Code::kOk || answer.code == Code::kSessionExpired;
    End(closed ? SessionState::kClosed : SessionState::kExpired, StatusOf(answer));
    if (closed) {
      Deliver(std::move(answered.reply), AnswerView());
    } else {
      Deliver(std::move(answered.reply), answer);
    }
    return false;
  }
  Deliver(std::move(answered.reply), answer, chroot_);
  if (!*alive) return false;
  if (answer.code == Code::kSessionExpired) {
    End(SessionState::kExpired, StatusOf(answer));
    return false;
  }
  return true;
}

void SessionMachine::OnLinkDrained(Link* link) {
  if (link == link_.get() && (queue_.wants_to_send() || watches_.wants_to_send())) ScheduleFlush();
}

void SessionMachine::ScheduleFlush() {
  if (std::exchange(flush_scheduled_, true)) return;
  loop_->Post([this, alive = Alive(alive_)] {
    if (!*alive) return;
    flush_scheduled_ = false;
    Flush();
  });
}

void SessionMachine::Flush() {
  if (link_ == nullptr || link_->busy()) return;
  std::string frame;
  const std::uint64_t seen = queue_.seen();
  if (seen != link_->seen_sent) AppendSeen(&frame, seen);
  const std::uint64_t credits = link_->credits - link_->requests_sent;
  std::uint64_t sent = watches_.Fill(&frame, credits, queue_.NextToSend());
  // An answer of this stream might show what a watch has not told of yet.
  while (!watches_.catching_up()) {
    const RequestQueue::Key barrier = watches_.Barrier();
    sent += queue_.Fill(&frame, options_.frame_bytes_max, credits - sent, barrier);
    const std::uint64_t watches = watches_.Fill(&frame, credits - sent, queue_.NextToSend());
    if (watches == 0) break;
    sent += watches;
  }
  if (sent == 0) return;
  link_->requests_sent += sent;
  link_->seen_sent = seen;
  link_->Send(std::move(frame));
}

// ---- calls ----

void SessionMachine::Refuse(Reply reply, absl::Status status) {
  loop_->Post([alive = Alive(alive_), reply = std::move(reply), status = std::move(status)]() mutable {
    if (*alive) Fail(std::move(reply), status);
  });
}

void SessionMachine::Enqueue(bool write, std::string body, Reply reply, base::Duration timeout, base::FeatureLevel needed) {
  if (ended() || close_key_.has_value())
    return Refuse(std::move(reply), RefusedError(Code::kSessionExpired, "the session was closed"));
  if (feature_level_ != base::FeatureLevel() && feature_level_ < needed) {
    return Refuse(std::move(reply),
                  RefusedError(Code::kUnimplemented,
                               absl::StrCat("the cluster is at feature level ", feature_level_.value, ", this needs level ",
                                            needed.value, ": `drover cluster status` shows which node keeps it down")));
  }
  if (body.size() > kRequestBytesMax) return Refuse(std::move(reply), RefusedError(Code::kTooLarge, "more than a frame holds"));
  if (!queue_.HasRoom(body.size())) {
    return Refuse(std::move(reply),
                  RefusedError(Code::kResourceExhausted, "too many calls of this session wait for their answers"));
  }
  const RequestQueue::Key key = queue_.Add(write, std::move(body), std::move(reply));
  if (timeout > base::Duration{0}) {
    deadlines_.Set(key, loop_->Now() + timeout);
    SetDeadlineTimer();
  }
  if (link_ != nullptr) ScheduleFlush();
}

void SessionMachine::SetDeadlineTimer() {
  if (const std::optional<base::Instant> next = deadlines_.Next()) {
    deadline_timer_.Set(std::max(*next - loop_->Now(), base::Duration{0}), [this] { OnDeadline(); });
  }
}

void SessionMachine::OnDeadline() {
  const Alive alive = alive_;
  while (const std::optional<RequestQueue::Key> key = deadlines_.TakeDue(loop_->Now())) {
    RequestQueue::Abandoned abandoned = queue_.Abandon(*key);
    const std::string words =
        absl::StrCat("no answer in time", last_break().ok() ? "" : absl::StrCat("; ", last_break().ToString()));
    const bool unknown = abandoned.write && abandoned.sent;
    Fail(std::move(abandoned.reply),
         unknown ? UnknownOutcomeError(UnknownCause::kDeadline, words) : absl::DeadlineExceededError(words));
    if (!*alive) return;
  }
  SetDeadlineTimer();
}

void SessionMachine::Create(std::string path, std::string data, CreateOptions how, Callback<CreateResult> done,
                            WriteOptions options) {
  path = how.sequential ? chroot_.InSequential(std::move(path)) : chroot_.In(std::move(path));
  Enqueue(true, EncodeCreate(path, data, how), std::move(done), options.timeout, NeededLevel(how));
}

void SessionMachine::Set(std::string path, std::string data, std::optional<std::uint32_t> version, Callback<SetResult> done,
                         WriteOptions options) {
  Enqueue(true, EncodeSet(chroot_.In(std::move(path)), data, version), std::move(done), options.timeout);
}

void SessionMachine::Delete(std::string path, std::optional<std::uint32_t> version, Callback<DeleteResult> done,
                            WriteOptions options) {
  Enqueue(true, EncodeDelete(chroot_.In(std::move(path)), version), std::move(done), options.timeout);
}

void SessionMachine::DeleteSubtree(std::string path, std::optional<std::uint32_t> version, Callback<DeleteSubtreeResult> done,
                                   WriteOptions options) {
  Enqueue(true, EncodeDeleteSubtree(chroot_.In(std::move(path)), version), std::move(done), options.timeout, base::kMoreOperations);
}

void SessionMachine::Commit(Transaction transaction, Callback<TransactionResult> done, WriteOptions options) {
  for (Compare& compare : transaction.compares) compare.path = chroot_.In(std::move(compare.path));
  for (std::vector<Operation>* branch : {&transaction.then, &transaction.otherwise}) {
    for (Operation& operation : *branch) {
      const bool sequential = operation.kind == Operation::Kind::kCreate && operation.create.sequential;
      operation.path = sequential ? chroot_.InSequential(std::move(operation.path)) : chroot_.In(std::move(operation.path));
    }
  }
  Enqueue(true, EncodeTransaction(transaction), std::move(done), options.timeout, NeededLevel(transaction));
}

void SessionMachine::SetAcl(std::string path, Acl acl, std::optional<std::uint32_t> aversion, Callback<SetResult> done,
                            WriteOptions options) {
  Enqueue(true, EncodeSetAcl(chroot_.In(std::move(path)), acl, aversion), std::move(done), options.timeout, base::kAccessControl);
}

void SessionMachine::SetQuota(std::string path, Quota quota, Callback<Zxid> done, WriteOptions options) {
  Enqueue(true, EncodeSetQuota(chroot_.In(std::move(path)), quota), std::move(done), options.timeout, base::kAccessControl);
}

void SessionMachine::Authenticate(Credential credential, Callback<Zxid> done, WriteOptions options) {
  Enqueue(true, EncodeAuthenticate(credential), std::move(done), options.timeout, base::kAccessControl);
}

void SessionMachine::Get(std::string path, Callback<GetResult> done, ReadOptions options) {
  std::string body = EncodeGet(chroot_.In(path), options.local);
  Callback<GetResult> named = [path = std::move(path), done = std::move(done)](absl::StatusOr<GetResult> got) mutable {
    if (got.ok()) got->node.path = std::move(path);  // the answer does not repeat it
    done(std::move(got));
  };
  Enqueue(false, std::move(body), std::move(named), options.timeout);
}

void SessionMachine::Exists(std::string path, Callback<ExistsResult> done, ReadOptions options) {
  Enqueue(false, EncodeExists(chroot_.In(std::move(path)), options.local), std::move(done), options.timeout);
}

void SessionMachine::Children(std::string path, std::string after, std::uint32_t limit, Callback<ChildrenPage> done,
                              ReadOptions options) {
  Enqueue(false, EncodeChildren(chroot_.In(std::move(path)), after, limit, options.local), std::move(done), options.timeout);
}

void SessionMachine::List(std::string path, std::string after, std::uint32_t limit, Callback<ListPage> done, ReadOptions options) {
  Enqueue(false, EncodeList(chroot_.In(std::move(path)), chroot_.In(std::move(after)), limit, true, options.local), std::move(done),
          options.timeout);
}

void SessionMachine::ListWithoutData(std::string path, std::string after, std::uint32_t limit, Callback<ListPage> done,
                                     ReadOptions options) {
  Enqueue(false, EncodeList(chroot_.In(std::move(path)), chroot_.In(std::move(after)), limit, false, options.local),
          std::move(done), options.timeout);
}

void SessionMachine::MultiRead(std::vector<ReadOperation> reads, Callback<MultiReadResult> done, ReadOptions options) {
  for (ReadOperation& read : reads) read.path = chroot_.In(std::move(read.path));
  Enqueue(false, EncodeMultiRead(reads, options.local), std::move(done), options.timeout);
}

void SessionMachine::CountDescendants(std::string path, Callback<CountResult> done, ReadOptions options) {
  Enqueue(false, EncodeCountDescendants(chroot_.In(std::move(path)), options.local), std::move(done), options.timeout);
}

void SessionMachine::Ephemerals(SessionId session, std::string path, AfterNode after, std::uint32_t limit, Callback<ListPage> done,
                                ReadOptions options) {
  // Those that lie outside of its root are none of its affair.
  path = path.empty() ? chroot_.root() : chroot_.In(std::move(path));
  after.path = chroot_.In(std::move(after.path));
  Enqueue(false, EncodeEphemerals(session, path, after, limit, options.local), std::move(done), options.timeout);
}

void SessionMachine::GetAcl(std::string path, Callback<AclResult> done, ReadOptions options) {
  Enqueue(false, EncodeGetAcl(chroot_.In(std::move(path)), options.local), std::move(done), options.timeout);
}

void SessionMachine::Quotas(std::string path, AfterNode after, std::uint32_t limit, Callback<QuotasPage> done,
                            ReadOptions options) {
  after.path = chroot_.In(std::move(after.path));
  Enqueue(false, EncodeQuotas(chroot_.In(std::move(path)), after, limit, options.local), std::move(done), options.timeout);
}

void SessionMachine::WhoAmI(Callback<IdentitiesResult> done, ReadOptions options) {
  Enqueue(false, EncodeWhoAmI(options.local), std::move(done), options.timeout);
}

void SessionMachine::Sessions(SessionId after, std::uint32_t limit, Callback<SessionsPage> done, ReadOptions options) {
  Enqueue(false, EncodeSessions(after, limit, options.local), std::move(done), options.timeout);
}

void SessionMachine::Sync(Callback<Zxid> done, ReadOptions options) {
  Enqueue(false, EncodeSync(options.local), std::move(done), options.timeout);
}

WatchId SessionMachine::Watch(std::string path, WatchOptions options, WatchListener* listener) {
  const WatchId id = watches_.Add(chroot_.In(std::move(path)), options, listener, queue_.EndKey());
  if (ended()) {
    loop_->Post([this, alive = Alive(alive_)] {
      if (*alive) watches_.EndAll(RefusedError(Code::kSessionExpired, "the session was closed"));
    });
  } else if (link_ != nullptr) {
    ScheduleFlush();
  }
  return id;
}

void SessionMachine::Unwatch(WatchId id) {
  watches_.Remove(id);
  if (link_ != nullptr && watches_.wants_to_send()) ScheduleFlush();
}

void SessionMachine::Close(DoneCallback done) {
  if (ended() || close_key_.has_value()) {
    const absl::Status again = ended() ? absl::OkStatus() : absl::FailedPreconditionError("the session is being closed already");
    loop_->Post([alive = Alive(alive_), done = std::move(done), again]() mutable {
      if (*alive) done(again);
    });
    return;
  }
  close_key_ = queue_.Add(true, EncodeCloseSession(), std::move(done));
  if (id_ != SessionId()) {
    if (link_ != nullptr) ScheduleFlush();
    return;
  }
  // Never granted: there is nothing to end but the attempt.
  loop_->Post([this, alive = Alive(alive_)] {
    if (*alive && !ended() && id_ == SessionId()) End(SessionState::kClosed, absl::CancelledError("closed before it was granted"));
  });
}

// ---- the end ----

void SessionMachine::End(SessionState how, const absl::Status& why) {
  const Alive alive = alive_;
  state_ = how;
  for (base::Timer* timer : {&redial_timer_, &attempt_timer_, &contact_timer_, &lease_timer_, &deadline_timer_}) timer->Cancel();
  if (link_ != nullptr) Retire(std::move(link_), true);
  if (attempt_ != nullptr) Retire(std::move(attempt_), false);
  deadlines_.ClearAll();

  const absl::Status gone = RefusedError(Code::kSessionExpired, why.message());
  const absl::Status unknown = UnknownOutcomeError(UnknownCause::kSessionLost, why.message());
  for (RequestQueue::Ended& ended : queue_.TakeAll()) {
    if (std::holds_alternative<DoneCallback>(ended.reply)) {
      Deliver(std::move(ended.reply), AnswerView());  // its close: the session is gone, which is what was asked for
    } else {
      Fail(std::move(ended.reply), ended.write && ended.sent ? unknown : gone);
    }
    if (!*alive) return;
  }
  watches_.EndAll(gone);
  if (!*alive) return;
  if (how == SessionState::kExpired) Tell([&why](SessionObserver* observer) { observer->OnExpired(why); });
}

}  // namespace drover::coord::client

namespace drover::coord {

std::unique_ptr<Session> Session::Open(base::Loop* loop, base::Dialer* dialer, SessionOptions options) {
  DROVER_CHECK(!options.endpoints.empty()) << "a session needs at least one endpoint";
  return std::make_unique<client::SessionMachine>(loop, dialer, std::move(options));
}

}  // namespace drover::coord
