#include "coord/server/session_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/tree/answer.h"
#include "coord/tree/path.h"

namespace drover::coord::server {

using tree::Code;
using tree::RequestKind;

namespace {

// What the state machine counts for a kept answer besides its encoding, about.
constexpr std::size_t kKeptAnswerBytes = 32;

absl::Status DiskIsFull() {
  return absl::ResourceExhaustedError("the disk of this node is full: no session can be opened here until there is space");
}

// Follows a growth at once and forgets it within some hundred steps.
std::size_t LargestLately(std::size_t largest, std::size_t size) {
  return std::max(size, largest - largest / 64);
}

}  // namespace

SessionStream::SessionStream(StreamHost* host, const StreamOptions* options, StreamId id,
                             std::unique_ptr<base::Connection> connection, std::string address)
    : host_(host),
      options_(*options),
      id_(id),
      began_(host->Now()),
      connection_(std::move(connection)),
      address_(std::move(address)) {}

void SessionStream::OnFrame(base::Bytes frame) {
  if (closing_) return;
  frames_.push_back(std::move(frame));
  host_->WantWork(id_);
}

void SessionStream::OnDrained() {
  if (const Attached* a = attached(); a != nullptr && a->ack) host_->WantFlush(id_);
  host_->WantWork(id_);
}

void SessionStream::OnClosed(base::CloseCause cause, const absl::Status&) {
  closed_ = true;
  // A stream that this node ended says nothing about its client.
  link_broke_ = cause == base::CloseCause::kPeerGone && !closing_;
  host_->WantWork(id_);
}

void SessionStream::Work() {
  // What came before the end still counts: a client may close its session and go.
  while (!frames_.empty() && !closing_) {
    const base::Bytes frame = std::move(frames_.front());
    frames_.pop_front();
    ReadFrame(frame);
  }
  if (std::holds_alternative<CatchingUp>(state_) && !closing_) TryResume(CatchingUp(std::get<CatchingUp>(state_)));
  if (attaching() && host_->Now() - began_ >= options_.attach_timeout) {
    // An opening that found the disk full stays in the log's queue; its session, when there is one, ends by its time-out.
    Close(host_->DiskFull() ? DiskIsFull() : absl::UnavailableError("the stream was not attached to a session in time"));
  }
  if (Attached* a = attached()) {
    Unpark(a);
    do {
      Execute(a);
    } while (Issue(a));
  }
  if (close_called_ && host_->Now() - *close_called_ >= options_.close_timeout) closed_ = true;  // its destruction cuts the link
  if (closed_) NoteEnd();
}

void SessionStream::NoteEnd() {
  host_->watches().RemoveStream(id_);
  if (std::exchange(link_broke_, false)) host_->LinkBroke(id_, session());
}

void SessionStream::ReadFrame(const base::Bytes& frame) {
  host_->observer().OnReceived(frame.size());
  if (frame.size() > options_.received_frame_bytes_max) {
    return Close(absl::ResourceExhaustedError(
        absl::StrCat("a frame of ", frame.size(), " bytes; at most ", options_.received_frame_bytes_max, " are taken")));
  }
  ClientFrameView view;
  if (!ClientFrameView::Parse(frame.view(), &view)) return Break("malformed frame");
  Attached* a = attached();
  if (a == nullptr && view.request_count != 0) return Break("requests before credits were granted");
  if (std::holds_alternative<Greeting>(state_)) {
    if (view.contact) early_contact_ = view.contact;
    return Greet(view);
  }
  if (view.open || view.resume) return Break("Open or Resume in a later frame than the first");
  if (a == nullptr) {
    if (view.contact) early_contact_ = view.contact;
    return;
  }
  host_->Heard(id_, a->session);
  if (view.contact) host_->WantConfirmation(id_, a->session, *view.contact);
  a->seen = std::max(a->seen, view.seen);
  TakeRequests(a, frame, view);
}

void SessionStream::Greet(const ClientFrameView& frame) {
  if (frame.open.has_value() == frame.resume.has_value())
    return Break("the first frame carries neither or both of Open and Resume");
  if (host_->DiskFull()) {
    const absl::Status may_stay = host_->MayStay();
    if (frame.open || !may_stay.ok()) host_->observer().OnRefused(Refusal::kDiskFull);
    if (!may_stay.ok()) return Close(may_stay);
    if (frame.open) return Close(DiskIsFull());
  }
  if (frame.open) {
    state_ = Opening{};
    host_->ProposeOpen(id_, *frame.open, address_);
    return;
  }
  // A session is as old as its id: a node that has not applied that much cannot know it.
  const base::Zxid until = std::max(frame.resume->seen_zxid, base::Zxid(frame.resume->session.value));
  state_ = CatchingUp{frame.resume->session, std::string(frame.resume->secret), until, frame.resume->attach};
}

void SessionStream::TryResume(const CatchingUp& waiting) {
  if (host_->state().last_zxid() < waiting.until) return;
  const tree::Session* session = host_->state().sessions().Find(waiting.session);
  if (session == nullptr) return Close(absl::NotFoundError(absl::StrCat("session ", waiting.session.value, " has ended")));
  if (!session->SecretIs(waiting.secret)) return Close(absl::UnauthenticatedError("wrong secret"));
  Attach(*session, waiting.attach);
}

void SessionStream::Attach(const tree::Session& session, std::uint64_t attach) {
  Attached& a = state_.emplace<Attached>();
  a.session = session.id();
  if (address_ != session.address()) a.address_to_say = address_.empty() ? std::string(tree::kNoAddress) : address_;
  Grant grant;
  grant.session = session.id();
  grant.secret = session.secret();
  grant.timeout_ms = session.timeout_ms();
  grant.last_write = session.last_write();
  grant.node = host_->node_id();
  grant.cluster = host_->cluster_id();
  AppendGrant(grant, &grant_);
  host_->Attached(session.id(), id_, attach);
  if (early_contact_) host_->WantConfirmation(id_, session.id(), *std::exchange(early_contact_, std::nullopt));
  host_->WantFlush(id_);
}

void SessionStream::TakeRequests(Attached* a, const base::Bytes& frame, const ClientFrameView& view) {
  base::RepeatedBytes requests = view.requests();
  absl::string_view bytes;
  while (requests.Next(&bytes)) {
    Request request;
    request.frame = frame;
    request.bytes = bytes;
    request.seen = a->seen;
    if (!tree::RequestView::Parse(bytes, &request.view)) return Break("malformed request");
    if (++a->received > a->credits_sent) return Break("more requests than credits");
    a->request_bytes += bytes.size();
    if (a->request_bytes > options_.request_bytes_max) {
      return Close(absl::ResourceExhaustedError("too many bytes of requests in flight"));
    }
    a->largest_request = LargestLately(a->largest_request, bytes.size());
    a->incoming.push_back(std::move(request));
  }
}

bool SessionStream::Issue(Attached* a) {
  bool issued = false;
  while (!a->incoming.empty() && !closing_ && outbound_bytes() <= options_.outbound_pause_bytes) {
    Request& request = a->incoming.front();
    if (request.numbered()) {
      // Behind a read that waits for its round, or for room, it could take effect before that read.
      const bool behind_waiting_read = !a->issued.empty() && !a->issued.front().numbered();
      if (a->barriers > 0 || behind_waiting_read || !host_->TakesWrites()) break;
      Propose(*a, request);
      ++a->writes_issued;
    } else if (tree::IsRead(request.view.kind) && !request.view.local) {
      request.barrier = true;
      ++a->reads_issued;
      host_->WantRound(id_);
    } else {
      request.confirmed = true;
      tree::AddWatchView watch;
      request.barrier =
          request.view.kind == RequestKind::kAddWatch && tree::AddWatchView::Parse(request.view.body, &watch) && watch.has_after;
    }
    if (request.barrier) ++a->barriers;
    a->issued.push_back(std::move(request));
    a->incoming.pop_front();
    issued = true;
  }
  return issued;
}

void SessionStream::Propose(const Attached& a, const Request& request) {
  const bool known = host_->state().feature_level() >= base::kAccessControl;
  tree::Asker asker{a.session, known ? absl::string_view(a.address_to_say) : absl::string_view()};
  std::vector<tree::Identity> proved;
  std::string instead;  // of the request as it came
  if (request.view.kind == RequestKind::kAuthenticate) {
    tree::AuthenticateView shown;
    if (known && tree::AuthenticateView::Parse(request.view.body, &shown)) proved = host_->Verify(shown);
    asker.identities = proved;
  }
  if (request.view.kind == RequestKind::kAuthenticate || request.view.has_auth) {
    instead = tree::EncodeWithoutCredentials(request.view);
  } else if (!known && tree::NeededLevel(request.view) >= base::kAccessControl) {
    // Who knows nothing of lists would make a node that is open to everybody.
    instead = tree::EncodeNothing(request.view.number);
  }
  host_->Propose(id_, asker, request.seen, instead.empty() ? request.bytes : absl::string_view(instead));
}

void SessionStream::Execute(Attached* a) {
  while (!a->issued.empty() && !closing_ && !closed_ && ExecuteFront(a)) {
  }
}

// False: it has to wait.
bool SessionStream::ExecuteFront(Attached* a) {
  Request& request = a->issued.front();
  if (request.numbered() || !request.confirmed) return false;
  // A read that writes wait behind is not put off: they may be in the log already.
  if (a->writes_issued == 0 && outbound_bytes() > options_.outbound_pause_bytes) return false;
  const RequestKind kind = request.view.kind;
  if (tree::IsRead(kind)) {
    host_->observer().OnRead();
    Finish(a, host_->state().Read(request.view, asker()).view());
    return true;
  }
  if (kind == RequestKind::kAddWatch) return ExecuteAddWatch(a);
  if (kind == RequestKind::kRemoveWatch) {
    tree::RemoveWatchView watch;
    const bool valid = tree::RemoveWatchView::Parse(request.view.body, &watch);
    const bool known = valid && (host_->watches().Remove(id_, watch.watch_id) || RemoveParked(a, watch.watch_id));
    FinishWithCode(a, known ? Code::kOk : Code::kInvalidArgument);
    return true;
  }
  // A write without a number could not be told from its repetition; what else there is, this version does not know.
  FinishWithCode(a, tree::IsWrite(kind) ? Code::kInvalidArgument : Code::kUnimplemented);
  return true;
}

bool SessionStream::ExecuteAddWatch(Attached* a) {
  Request& request = a->issued.front();
  tree::AddWatchView watch;
  if (!tree::AddWatchView::Parse(request.view.body, &watch)) {
    FinishWithCode(a, Code::kInvalidArgument);
    return true;
  }
  if (watch.path.size() > host_->state().options().path_bytes_max) {
    FinishWithCode(a, Code::kTooLarge, "the path is too long");
    return true;
  }
  Code code = host_->watches().Add(id_, watch.watch_id, watch.path, watch.kind, watch.with_data);
  if (code != Code::kOk || !watch.has_after) {
    const char* const fault = code == Code::kInvalidArgument ? tree::PathFault(watch.path) : nullptr;
    FinishWithCode(a, code, fault == nullptr ? "" : fault);
    return true;
  }
  // Not armed before its history is replayed to the end: within one event of the loop, so nothing is missed or doubled.
  host_->watches().Remove(id_, watch.watch_id);
  const tree::Position after = request.replayed.value_or(watch.after);
  if (after.zxid > host_->state().last_zxid()) {
    Park(a, watch.watch_id, after.zxid);
    return true;
  }
  const auto kind = static_cast<tree::WatchKind>(watch.kind);
  if (!host_->history().Covers(after)) {
    Finish(a, tree::EncodeCompacted(request.view.id, host_->state().last_zxid(), host_->history().oldest()).view());
    return true;
  }
  const tree::Asker watcher = host_->state().Known(asker());
  bool more = false;  // the next slice is for when the transport has taken this one
  const auto tell = [&](const tree::Event& event) {
    more = more || outbound_bytes() > options_.outbound_pause_bytes;
    if (more || closing_) return;
    tree::AppendEventItem(event, watch.with_data && event.NodeMayBeRead(watcher), {&watch.watch_id, 1}, &items_);
    request.replayed = event.position();
    ItemQueued();
  };
  host_->history().Replay(after, watch.path, kind, tell, watcher);
  if (more || closing_) return false;
  if (tree::HearsOnce(kind) && request.replayed) {
    FinishWithCode(a, Code::kOk);  // it has heard: there is nothing to arm
    return true;
  }
  code = host_->watches().Add(id_, watch.watch_id, watch.path, watch.kind, watch.with_data);
  FinishWithCode(a, code);
  return true;
}

// Of what is ahead of this node: nothing that is applied before it gets there is an event of this watch, so what was sent behind
// it need not wait, and it is executed later as if it had been sent then.
void SessionStream::Park(Attached* a, std::uint64_t watch_id, base::Zxid until) {
  LowerBarrier(a, &a->issued.front());
  a->parked.push_back(Parked{watch_id, until, std::move(a->issued.front())});
  a->issued.pop_front();
}

void SessionStream::Unpark(Attached* a) {
  const base::Zxid applied = host_->state().last_zxid();
  for (auto it = a->parked.begin(); it != a->parked.end();) {
    if (it->until > applied) {
      ++it;
      continue;
    }
    it->request.barrier = true;
    ++a->barriers;
    a->issued.push_back(std::move(it->request));
    it = a->parked.erase(it);
  }
}

// The watch that waits to be armed is answered, too: before its removal is.
bool SessionStream::RemoveParked(Attached* a, std::uint64_t watch_id) {
  const auto found =
      std::find_if(a->parked.begin(), a->parked.end(), [watch_id](const Parked& parked) { return parked.watch_id == watch_id; });
  if (found == a->parked.end()) return false;
  a->issued.push_front(std::move(found->request));
  a->parked.erase(found);
  FinishWithCode(a, Code::kUnavailable);
  return true;
}

void SessionStream::LowerBarrier(Attached* a, Request* request) {
  if (std::exchange(request->barrier, false)) --a->barriers;
}

// Answers the front of what was issued.
void SessionStream::Finish(Attached* a, absl::string_view answer) {
  Request& request = a->issued.front();
  LowerBarrier(a, &request);
  if (request.numbered()) {
    --a->writes_issued;
    a->largest_write_answer = LargestLately(a->largest_write_answer, answer.size());
  }
  a->request_bytes -= request.bytes.size();
  ++a->answered;
  a->issued.pop_front();
  tree::AppendAnswerItem(answer, &items_);
  ItemQueued();
}

void SessionStream::FinishWithCode(Attached* a, Code code, absl::string_view message) {
  tree::AnswerHead head;
  head.number = a->issued.front().view.number;
  head.id = a->issued.front().view.id;
  head.code = code;
  head.message = message;
  head.zxid = host_->state().last_zxid();
  Finish(a, tree::EncodeAnswer(head).view());
}

void SessionStream::ItemQueued() {
  item_ends_.push_back(items_.size());
  host_->WantFlush(id_);
  if (closing_ || outbound_bytes() <= options_.outbound_bytes_max) return;
  items_.clear();
  item_ends_.clear();
  host_->observer().OnRefused(Refusal::kSlowReader);
  Close(absl::ResourceExhaustedError("answers and events are not read fast enough: resume"));
}

SessionStream::RoundTicket SessionStream::BeginRound() {
  RoundTicket ticket;
  if (Attached* a = attached()) {
    ticket.reads_issued = a->reads_issued;
  }
  return ticket;
}

void SessionStream::OnRound(const RoundTicket& ticket) {
  Attached* a = attached();
  if (a == nullptr || closing_ || closed_) return;
  for (Request& request : a->issued) {
    if (a->reads_confirmed >= ticket.reads_issued) break;
    // (A read with a number is handed in like a write, and refused when it is applied.)
    if (request.confirmed || request.numbered() || !tree::IsRead(request.view.kind)) continue;
    request.confirmed = true;
    ++a->reads_confirmed;
    LowerBarrier(a, &request);
  }
  host_->WantWork(id_);
}

void SessionStream::OnContactConfirmed(std::uint64_t contact) {
  Attached* a = attached();
  if (a == nullptr || closing_ || closed_) return;
  a->ack = contact;
  host_->WantFlush(id_);
}

void SessionStream::OnAnswer(absl::string_view answer) {
  Attached* a = attached();
  if (a == nullptr || closing_ || closed_) return;
  // Writes are applied in the order in which they were issued, and every read before one was executed when it became the front.
  DROVER_CHECK(!a->issued.empty() && a->issued.front().numbered());
  Finish(a, answer);
  Execute(a);
  host_->WantWork(id_);
}

void SessionStream::OnEvent(const tree::Delivery& delivery) {
  if (closing_ || closed_) return;
  tree::AppendEventItem(*delivery.event, delivery.with_data, delivery.watch_ids, &items_);
  ItemQueued();
}

void SessionStream::OnOpened(const tree::Session& session) {
  if (std::holds_alternative<Opening>(state_) && !closing_ && !closed_) Attach(session, 0);
}

void SessionStream::OnOpenRefused(Code code, absl::string_view message) {
  // Too many sessions here is no affair of the client's protocol: another time, or another core.
  Close(code == Code::kInvalidArgument ? absl::InvalidArgumentError(message) : absl::UnavailableError(message));
}

void SessionStream::OnSessionEnded(tree::SessionEnd end) {
  Close(end == tree::SessionEnd::kClosed ? absl::OkStatus() : absl::NotFoundError("the session has expired"));
}

void SessionStream::OnReplaced() {
  Close(absl::UnavailableError("the session was resumed by another stream"));
}

void SessionStream::Break(absl::string_view what) {
  Close(absl::InvalidArgumentError(what));
}

void SessionStream::Close(const absl::Status& status) {
  if (closing_ || closed_) return;
  closing_ = status;
  frames_.clear();
  host_->WantFlush(id_);  // which ends the watches, too: this may be called while they are matched
}

void SessionStream::AskToMove() {
  if (closing_ || closed_ || attached() == nullptr || std::exchange(asked_to_move_, true)) return;
  move_ = true;
  host_->WantFlush(id_);
}

std::uint64_t SessionStream::Credits(const Attached& a) const {
  std::uint64_t window = options_.credits_start;
  if (a.largest_request > 0) {
    const std::uint64_t by_requests = options_.request_bytes_aim / a.largest_request;
    const std::uint64_t by_answers = host_->state().options().kept_bytes_max / 2 / (a.largest_write_answer + kKeptAnswerBytes);
    window = std::clamp(std::min(by_requests, by_answers), options_.credits_start, options_.credits_max);
  }
  return std::max(a.credits_sent, a.answered + window);
}

void SessionStream::Send(std::string frame) {
  host_->observer().OnSent(frame.size());
  connection_->Send(base::Bytes::Adopt(std::move(frame)));
}

void SessionStream::Flush() {
  if (closed_ || close_called_) return;
  Attached* a = attached();
  std::string frame = std::exchange(grant_, {});
  // While much lies unsent an acknowledgement makes no frame of its own: only the newest matters, and it goes with what else is
  // sent, or when the transport has taken everything.
  if (a != nullptr && a->ack && (!items_.empty() || outbound_bytes() <= options_.outbound_pause_bytes)) {
    AppendContactAck(*std::exchange(a->ack, std::nullopt), host_->state().time(), &frame);
  }
  if (a != nullptr && std::exchange(move_, false)) AppendMove(&frame);
  if (!frame.empty() || !items_.empty()) {
    bool replaying = false;
    if (a != nullptr) {
      const std::uint64_t credits = Credits(*a);
      if (credits > a->credits_sent) AppendCredits(a->credits_sent = credits, &frame);
      const base::FeatureLevel level = host_->state().feature_level();
      if (level > a->level_sent) AppendFeatureLevel(a->level_sent = level, &frame);
      replaying = !a->issued.empty() && a->issued.front().replayed.has_value();
    }
    // Cut only where the items are very many: most of the time this is one frame.
    std::size_t begin = 0;
    for (std::size_t i = 0; i < item_ends_.size(); ++i) {
      const bool last = i + 1 == item_ends_.size();
      if (!last && item_ends_[i + 1] - begin <= options_.frame_bytes) continue;
      frame.append(items_, begin, item_ends_[i] - begin);
      begin = item_ends_[i];
      if (!last) Send(std::exchange(frame, {}));
    }
    items_.clear();
    item_ends_.clear();
    const base::Zxid applied = host_->state().last_zxid();
    // Events since the closing were left out, so nothing is said of them.
    if (a != nullptr && !closing_ && !replaying && applied > a->bookmark_sent && host_->watches().size(id_) > 0) {
      AppendBookmark(applied, &frame);
      a->bookmark_sent = applied;
    }
    Send(std::move(frame));
  }
  if (closing_) {
    close_called_ = host_->Now();
    host_->watches().RemoveStream(id_);
    connection_->Close(*closing_);
  }
}

bool SessionStream::waits_for_the_node() const {
  if (closing_) return !closed_;
  const Attached* a = attached();
  return a == nullptr || !a->incoming.empty() || !a->parked.empty();
}

base::SessionId SessionStream::session() const {
  const Attached* a = attached();
  return a == nullptr ? base::SessionId() : a->session;
}

std::size_t SessionStream::outbound_bytes() const {
  return items_.size() + (closed_ ? 0 : connection_->queued_bytes());
}

}  // namespace drover::coord::server
