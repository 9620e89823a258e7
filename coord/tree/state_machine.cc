#include "coord/tree/state_machine.h"

#include <algorithm>
#include <array>
#include <utility>

#include "coord/base/check.h"
#include "coord/base/checksum.h"
#include "coord/base/hooks.h"
#include "coord/base/wire.h"
#include "coord/tree/answer.h"
#include "coord/tree/reads.h"

namespace drover::coord::tree {
namespace {

Code CodeOf(absl::string_view answer) {
  std::uint64_t code = 0;
  for (base::WireReader in(answer); in.Next();) {
    if (in.Is(3, base::WireType::kVarint)) code = in.number();
  }
  return static_cast<Code>(code);
}

// What the node that was asked has found proved. Malformed ones, which no node writes, are none.
void ReadIdentities(const CommandView& command, std::vector<Identity>* out) {
  out->clear();
  absl::string_view bytes;
  for (base::RepeatedBytes all = command.identities(); all.Next(&bytes);) {
    Identity identity;
    if (ParseIdentity(bytes, &identity)) out->push_back(std::move(identity));
  }
}

}  // namespace

StateMachine::StateMachine(const Options& options) : options_(options), writer_(&options_, &tree_, &recorder_) {}

absl::Status StateMachine::Apply(raft::Term entry_term, absl::string_view batch, Sink* sink) {
  BatchView view;
  const bool whole = BatchView::Parse(batch, &view);
  time_ = std::max(time_, view.time);
  absl::string_view bytes;
  for (base::RepeatedBytes commands = view.commands(); commands.Next(&bytes);) {
    CommandView command;
    if (!CommandView::Parse(bytes, &command)) return absl::InvalidArgumentError("malformed command");
    if (command.kind == CommandKind::kNone) {
      return absl::UnimplementedError("a command that this program does not know: start a newer drover-coord");
    }
    ApplyCommand(entry_term, command, sink);
  }
  return whole ? absl::OkStatus() : absl::InvalidArgumentError("malformed batch");
}

void StateMachine::ApplyCommand(raft::Term entry_term, const CommandView& command, Sink* sink) {
  switch (command.kind) {
    case CommandKind::kRequest:
      return ApplyRequest(command, sink);
    case CommandKind::kOpen:
      return ApplyOpen(command, sink);
    case CommandKind::kExpire:
      return ApplyExpire(entry_term, command, sink);
    case CommandKind::kReap:
      return ApplyReap(command, sink);
    case CommandKind::kNone:
      return;
  }
}

void StateMachine::ApplyRequest(const CommandView& command, Sink* sink) {
  Session* const session = sessions_.Find(command.session);
  if (session != nullptr) session->See(command.seen);
  RequestView request;
  if (!RequestView::Parse(command.body, &request)) {
    return Refuse(command, RequestView(), Code::kInvalidArgument, "this is not a request", sink);
  }
  if (session != nullptr) return ApplyNumbered(command, request, session, sink);
  if (command.session != base::SessionId()) return Refuse(command, request, Code::kSessionExpired, {}, sink);
  if (request.kind == RequestKind::kCloseSession) {
    return Refuse(command, request, Code::kInvalidArgument, "only a session's own stream can close it", sink);
  }
  ApplyWrite(command, request, nullptr, sink);
}

void StateMachine::ApplyNumbered(const CommandView& command, const RequestView& request, Session* session, Sink* sink) {
  if (request.number == 0) {
    return Refuse(command, request, Code::kInvalidArgument, "writes of a session are numbered from 1", sink);
  }
  switch (session->Judge(request.number, options_)) {
    case Turn::kKept: {
      if (DROVER_BREAK("forget-kept-answers")) break;
      const base::Bytes& kept = session->KeptAnswer(request.number);
      return sink->OnAnswer({command.origin, command.session, request.number, CodeOf(kept.view()), kept});
    }
    case Turn::kForgotten:
      return Refuse(command, request, Code::kOutOfOrder, "the client has seen this write's answer already", sink);
    case Turn::kOutOfOrder:
      return Refuse(command, request, Code::kOutOfOrder, {}, sink);
    case Turn::kWindowFull:
      return Refuse(command, request, Code::kWindowFull, {}, sink);
    case Turn::kApply:
      break;
  }
  if (request.kind == RequestKind::kAuthenticate && feature_level_ >= base::kAccessControl) {
    return ApplyAuthenticate(command, request, session, sink);
  }
  if (request.kind != RequestKind::kCloseSession) return ApplyWrite(command, request, session, sink);

  EndSession(command.session, sink);
  Answered answered{command.origin, command.session, request.number, Code::kOk, {}};
  answered.bytes = EncodeAnswer({.number = request.number, .zxid = last_zxid_});
  sink->OnAnswer(answered);
  sink->OnSessionEnded(command.session, SessionEnd::kClosed, last_zxid_);
}

void StateMachine::ApplyWrite(const CommandView& command, const RequestView& request, Session* session, Sink* sink) {
  WriteContext context{last_zxid_.Next(), time_, command.session, feature_level_, Asker{command.session, command.address}};
  if (session != nullptr) {
    context.asker.identities = session->identities();
    if (command.address.empty()) context.asker.address = session->address();
  } else {
    ReadIdentities(command, &identities_);
    context.asker.identities = identities_;
  }
  recorder_.Begin(context.zxid, context.session);
  fields_.clear();
  const Code code = writer_.Apply(context, request.kind, request.body, &fields_);
  if (code == Code::kOk) {
    last_zxid_ = context.zxid;
    const absl::Span<const Event> events = recorder_.Finish();
    if (!events.empty()) sink->OnEvents(events);
  }

  Answer(command, request, session, code, writer_.message(), sink);
}

void StateMachine::ApplyAuthenticate(const CommandView& command, const RequestView& request, Session* session, Sink* sink) {
  fields_.clear();
  ReadIdentities(command, &identities_);
  if (identities_.empty()) return Answer(command, request, session, Code::kAuthFailed, {}, sink);
  const auto is_new = [session](const Identity& identity) { return !session->HasProved(identity); };
  const auto added = static_cast<std::size_t>(std::count_if(identities_.begin(), identities_.end(), is_new));
  if (session->identities().size() + added > options_.identities_max) {
    return Answer(command, request, session, Code::kTooLarge, "a session cannot prove to be that many", sink);
  }
  for (const Identity& identity : identities_) session->Add(identity);
  last_zxid_ = last_zxid_.Next();
  Answer(command, request, session, Code::kOk, {}, sink);
}

void StateMachine::Answer(const CommandView& command, const RequestView& request, Session* session, Code code,
                          absl::string_view message, Sink* sink) {
  const AnswerHead head = HeadOf(command, request, code, message);
  Answered answered{command.origin, command.session, head.number, code, {}};
  scratch_.clear();
  base::WireWriter out(&scratch_);
  head.AppendFields(&out);
  out.Raw(fields_);
  answered.bytes = base::CopyExact(scratch_);
  const bool kept = DROVER_BREAK("forget-kept-answers") && session != nullptr && request.number <= session->last_write();
  if (session != nullptr && !kept) session->Keep(answered.bytes);
  sink->OnAnswer(answered);
}

void StateMachine::ApplyOpen(const CommandView& command, Sink* sink) {
  OpenSessionView open;
  if (!OpenSessionView::Parse(command.body, &open)) {
    return Refuse(command, RequestView(), Code::kInvalidArgument, "the opening is malformed", sink);
  }
  Session::Secret secret;
  if (open.secret.size() != secret.size()) {
    return Refuse(command, RequestView(), Code::kInvalidArgument, "a session's secret has 16 bytes", sink);
  }
  if (open.name.size() > options_.session_name_bytes_max || !base::IsUtf8(open.name)) {
    return Refuse(command, RequestView(), Code::kInvalidArgument, "the session's name is too long, or no UTF-8", sink);
  }
  if (sessions_.size() >= options_.sessions_max) {
    return Refuse(command, RequestView(), Code::kResourceExhausted, "there are too many sessions", sink);
  }
  std::copy(open.secret.begin(), open.secret.end(), secret.begin());
  const std::uint32_t timeout_ms =
      open.timeout_ms == 0 ? options_.session_timeout_ms_default
                           : std::clamp(open.timeout_ms, options_.session_timeout_ms_min, options_.session_timeout_ms_max);
  last_zxid_ = last_zxid_.Next();
  const base::SessionId id(last_zxid_.value);
  Session* const session = sessions_.Open(id, secret, timeout_ms, std::min(open.disconnect_grace_ms, timeout_ms), open.name,
                                          feature_level_ >= base::kAccessControl ? open.address : absl::string_view());
  sink->OnAnswer({command.origin, base::SessionId(), 0, Code::kOk, EncodeAnswer({.zxid = last_zxid_})});
  sink->OnSessionOpened(command.origin, *session);
}

void StateMachine::ApplyExpire(raft::Term entry_term, const CommandView& command, Sink* sink) {
  ExpireSessionsView expire;
  if (!ExpireSessionsView::Parse(command.body, &expire)) return;
  if (expire.term != entry_term && !DROVER_BREAK("expire-without-term")) return;
  expired_.clear();
  expire.AppendIds(&expired_);
  for (const base::SessionId id : expired_) {
    if (sessions_.Find(id) == nullptr) continue;
    EndSession(id, sink);
    sink->OnSessionEnded(id, SessionEnd::kExpired, last_zxid_);
  }
}

void StateMachine::ApplyReap(const CommandView& command, Sink* sink) {
  ReapNodesView reap;
  if (!ReapNodesView::Parse(command.body, &reap)) return;
  absl::string_view bytes;
  for (base::RepeatedBytes nodes = reap.nodes(); nodes.Next(&bytes);) {
    ReapedNodeView node;
    if (!ReapedNodeView::Parse(bytes, &node)) return;
    const base::Zxid zxid = last_zxid_.Next();
    recorder_.Begin(zxid, base::SessionId());
    if (!writer_.Reap({zxid, time_, base::SessionId(), feature_level_}, node.path, node.czxid)) continue;
    last_zxid_ = zxid;
    sink->OnEvents(recorder_.Finish());
  }
}

void StateMachine::EndSession(base::SessionId session, Sink* sink) {
  last_zxid_ = last_zxid_.Next();
  recorder_.Begin(last_zxid_, session);
  writer_.DeleteEphemerals({last_zxid_, time_, session, feature_level_}, session);
  sessions_.Remove(session);
  const absl::Span<const Event> events = recorder_.Finish();
  if (!events.empty()) sink->OnEvents(events);
}

void StateMachine::Refuse(const CommandView& command, const RequestView& request, Code code, absl::string_view message,
                          Sink* sink) {
  const AnswerHead head = HeadOf(command, request, code, message);
  sink->OnAnswer({command.origin, command.session, head.number, code, EncodeAnswer(head)});
}

AnswerHead StateMachine::HeadOf(const CommandView& command, const RequestView& request, Code code,
                                absl::string_view message) const {
  const bool numbered = command.session != base::SessionId();
  return {.number = numbered ? request.number : 0,
          .id = numbered ? 0 : request.id,
          .code = code,
          .zxid = last_zxid_,
          .message = message};
}

base::Bytes StateMachine::Read(const RequestView& request, const Asker& asker) const {
  // Most trees are open, and then nobody need be known.
  const bool matters = !tree_.acls().empty() || request.kind == RequestKind::kWhoAmI;
  return AnswerRead(options_, tree_, sessions_, last_zxid_, request, matters ? Known(asker) : asker);
}

Asker StateMachine::Known(Asker asker) const {
  if (const Session* session = sessions_.Find(asker.session); session != nullptr) asker.identities = session->identities();
  return asker;
}

void StateMachine::BeginImage(ImageSink* sink) {
  tree_.BeginImage(sink);
  sessions_.BeginImage(sink);
}

void StateMachine::EndImage() {
  tree_.EndImage();
  sessions_.EndImage();
}

void StateMachine::RaiseZxid(base::Zxid zxid) {
  DROVER_CHECK(zxid >= last_zxid_) << zxid << " after " << last_zxid_;
  last_zxid_ = zxid;
}

std::uint64_t StateMachine::Digest() const {
  // A chain: each link is a checksum over the one before and one node or session, fields in order, strings with their lengths.
  std::string link;
  std::uint64_t digest = 0;
  const auto number = [&link](std::uint64_t value) {
    for (int i = 0; i < 8; ++i) link.push_back(static_cast<char>(value >> (8 * i)));
  };
  const auto text = [&](absl::string_view value) {
    number(value.size());
    link.append(value.data(), value.size());
  };
  const auto close = [&] {
    number(digest);
    digest = base::Checksum(link);
    link.clear();
  };
  number(last_zxid_.value);
  number(static_cast<std::uint64_t>(time_.value));
  close();
  base::WireWriter out(&link);
  for (SubtreeCursor cursor(tree_.root(), "/"); cursor.node() != nullptr; cursor.Next()) {
    text(cursor.path());
    text(cursor.node()->data());
    number(cursor.node()->children_created());
    cursor.node()->stat().AppendFields(&out);
    if (cursor.node()->acl() != kOpenAcl) text(tree_.AclOf(*cursor.node()).encoded());
    if (cursor.node()->has_quota()) {
      const Quota quota = tree_.QuotaOf(*cursor.node());
      number(quota.nodes_max);
      number(quota.bytes_max);
    }
    close();
  }
  for (const auto& [id, session] : sessions_.all()) {
    number(id.value);
    text(session->secret());
    text(session->name());
    number(session->timeout_ms());
    number(session->disconnect_grace_ms());
    text(session->address());
    for (const Identity& identity : session->identities()) {
      text(identity.scheme);
      text(identity.id);
    }
    number(session->last_write());
    number(session->seen());
    for (std::uint64_t n = session->seen() + 1; n <= session->last_write(); ++n) text(session->KeptAnswer(n).view());
    close();
  }
  return digest;
}

}  // namespace drover::coord::tree
