#include "tests/oracle/judge.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/oracle/differences.h"

namespace drover::oracle {
namespace {

bool IsWrite(Kind kind) {
  return kind == Kind::kCreate || kind == Kind::kDelete || kind == Kind::kSet || kind == Kind::kMulti || kind == Kind::kSetAcl;
}

bool ByTypeAndPath(const Event& a, const Event& b) {
  return std::pair(a.path, a.type) < std::pair(b.path, b.type);
}

}  // namespace

void Judge::Differ(const std::string& what) {
  if (!what.empty()) found_.push_back(what);
}

std::vector<std::string> Judge::Compare(const Operation& operation, const Reply& zookeeper, const Reply& ours) {
  found_.clear();
  const Answer expected = Expected(operation, zookeeper.answer, &differences_);
  Zxids(operation, expected, ours.answer);
  Answers("", expected, ours.answer);
  // What a session that ends still hears of itself is nobody's business.
  if (operation.kind != Kind::kClose && operation.kind != Kind::kAbandon) Events(zookeeper.events, ours.events);
  return std::move(found_);
}

void Judge::Zxids(const Operation& operation, const Answer& expected, const Answer& ours) {
  if (expected.code != ours.code) return;  // told by Answers
  const bool ok = expected.code == Code::kOk;
  if (operation.kind == Kind::kOpen) {
    if (!ok) return;
    Differ(correspondence_.Opening(ours.session));
    correspondence_.Session(expected.session, ours.session);
  } else if (operation.kind == Kind::kClose) {
    if (!ok) return;
    // The answer to it does not carry its zxid; that of the next transaction shows it.
    ends_.insert(correspondence_.next());
    Differ(correspondence_.Transaction(expected.zxid, correspondence_.next()));
  } else if (operation.kind == Kind::kAbandon) {
    if (!ok) return;
    ends_.insert(ours.zxid);
    Differ(correspondence_.Transaction(expected.zxid, ours.zxid));
  } else if (operation.kind == Kind::kAuthenticate) {
    // In ZooKeeper it is the connection's, and no transaction.
    if (ok) Differ(correspondence_.Opening(ours.zxid));
  } else if (IsWrite(operation.kind) && ok) {
    Differ(correspondence_.Transaction(expected.zxid, ours.zxid));
  } else if (ours.zxid != 0) {
    Differ(correspondence_.State(expected.zxid, ours.zxid));
  }
}

void Judge::Answers(const std::string& where, const Answer& expected, const Answer& ours) {
  if (expected.code != ours.code) {
    Differ(absl::StrCat(where, "code: ", CodeName(expected.code), " is expected, we say ", CodeName(ours.code)));
    return;
  }
  if (expected.path != ours.path) {
    Differ(absl::StrCat(where, "path: ", Quoted(expected.path), " is expected, we say ", Quoted(ours.path)));
  }
  if (expected.data != ours.data) Differ(absl::StrCat(where, "data"));
  if (expected.names != ours.names) Differ(absl::StrCat(where, "names of children, or entries of the list"));
  if (expected.stat_untold) {
    if (!ours.stat.has_value()) Differ(absl::StrCat(where, "Stat: one is expected"));
  } else if (expected.stat.has_value() != ours.stat.has_value()) {
    Differ(absl::StrCat(where, "Stat: ", expected.stat.has_value() ? "one is expected" : "none is expected"));
  } else if (expected.stat.has_value()) {
    Stats(where, *expected.stat, *ours.stat);
  }
  if (expected.parts.size() != ours.parts.size()) {
    Differ(absl::StrCat(where, "results: ", expected.parts.size(), " are expected, we give ", ours.parts.size()));
    return;
  }
  for (std::size_t i = 0; i < expected.parts.size(); ++i) {
    Answers(absl::StrCat(where, "part ", i + 1, ": "), expected.parts[i], ours.parts[i]);
  }
}

void Judge::Stats(const std::string& where, const Stat& expected, const Stat& ours) {
  ++stats_;
  const auto number = [&](absl::string_view what, std::int64_t a, std::int64_t b) {
    if (a != b) Differ(absl::StrCat(where, what, ": ", a, " is expected, we say ", b));
  };
  number("version", expected.version, ours.version);
  number("cversion", expected.cversion, ours.cversion);
  number("aversion", expected.aversion, ours.aversion);
  number("dataLength", expected.data_length, ours.data_length);
  number("numChildren", expected.num_children, ours.num_children);
  if (expected.lifetime_told) {
    number("container", expected.container ? 1 : 0, ours.container ? 1 : 0);
    number("time to live", expected.ttl_ms, ours.ttl_ms);
  }
  Differ(correspondence_.Zxid(absl::StrCat(where, "czxid"), expected.czxid, ours.czxid));
  Differ(correspondence_.Zxid(absl::StrCat(where, "mzxid"), expected.mzxid, ours.mzxid));
  Differ(correspondence_.Zxid(absl::StrCat(where, "pzxid"), expected.pzxid, ours.pzxid));
  Differ(correspondence_.Time(absl::StrCat(where, "ctime"), expected.czxid, expected.ctime, ours.ctime));
  Differ(correspondence_.Time(absl::StrCat(where, "mtime"), expected.mzxid, expected.mtime, ours.mtime));
  Differ(correspondence_.Owner(expected.ephemeral_owner, ours.ephemeral_owner));
}

void Judge::Events(const std::vector<Event>& zookeeper, std::vector<Event> ours) {
  std::vector<Event> expected = zookeeper;
  if (expected.size() != ours.size()) {
    Differ(absl::StrCat("events: ", expected.size(), " are expected, we tell ", ours.size()));
  }
  const std::size_t both = std::min(expected.size(), ours.size());
  // What one end of a session deletes has no order in ZooKeeper.
  for (std::size_t i = 0, end; i < both; i = end) {
    for (end = i + 1; end < both && ours[end].zxid == ours[i].zxid;) ++end;
    if (ends_.count(ours[i].zxid) == 0) continue;
    std::sort(expected.begin() + static_cast<std::ptrdiff_t>(i), expected.begin() + static_cast<std::ptrdiff_t>(end),
              ByTypeAndPath);
    std::sort(ours.begin() + static_cast<std::ptrdiff_t>(i), ours.begin() + static_cast<std::ptrdiff_t>(end), ByTypeAndPath);
  }
  for (std::size_t i = 0; i < std::max(expected.size(), ours.size()); ++i) {
    if (i >= expected.size()) {
      Differ(absl::StrCat("event ", i + 1, ": none is expected, we tell ", ToWords(ours[i]), " of zxid ", ours[i].zxid));
    } else if (i >= ours.size()) {
      Differ(absl::StrCat("event ", i + 1, ": ", ToWords(expected[i]), " is expected, we tell none"));
    } else if (expected[i].type != ours[i].type || expected[i].path != ours[i].path) {
      Differ(absl::StrCat("event ", i + 1, ": ", ToWords(expected[i]), " is expected, we tell ", ToWords(ours[i]), " of zxid ",
                          ours[i].zxid));
    } else {
      OwnStat(ours[i]);
      ++events_;
    }
  }
}

// ZooKeeper's events have no more than type and path; what ours have besides must fit to those.
void Judge::OwnStat(const Event& event) {
  const Stat& s = event.stat;
  const std::string what = absl::StrCat("our event ", ToWords(event), " of zxid ", event.zxid);
  if (!correspondence_.IsTransactionOfOurs(event.zxid)) Differ(absl::StrCat(what, ": no transaction has this zxid"));
  if (event.type == Event::Type::kChildren) return;  // its Stat is the child's
  const bool fits = event.type == Event::Type::kCreated   ? s.czxid == event.zxid && s.mzxid == event.zxid && s.version == 0
                    : event.type == Event::Type::kChanged ? s.mzxid == event.zxid && s.czxid <= event.zxid && s.version != 0
                                                          : s.czxid <= event.zxid && s.mzxid <= event.zxid;
  const bool has_data = event.type != Event::Type::kDeleted;
  if (!fits || (has_data && event.data_bytes != static_cast<std::uint64_t>(s.data_length))) {
    Differ(absl::StrCat(what, ": its Stat is ", ToWords(s), ", its data ", event.data_bytes, " bytes"));
  }
}

}  // namespace drover::oracle
