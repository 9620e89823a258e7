// Below the path: `<id>` holds what is asked; `<id>/coordinator` is there as long as its session lives; `<id>/votes/<name>` is
// empty, "yes" or "no"; `<id>/decision` is "commit" or "abort". Who finishes deletes its vote, and the last one all.
#include "drover/recipes/two_phase_commit.h"

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/base/loop.h"
#include "drover/coord/status.h"
#include "drover/coord/subtree.h"

namespace drover::recipes {
namespace {

constexpr base::Duration kRetryDelay = std::chrono::milliseconds(100);
constexpr char kYes[] = "yes";
constexpr char kNo[] = "no";
constexpr char kCommit[] = "commit";
constexpr char kAbort[] = "abort";

std::string CoordinatorOf(const std::string& commit) {
  return absl::StrCat(commit, "/coordinator");
}
std::string VotesOf(const std::string& commit) {
  return absl::StrCat(commit, "/votes");
}
std::string VoteOf(const std::string& commit, const std::string& name) {
  return absl::StrCat(commit, "/votes/", name);
}
std::string DecisionOf(const std::string& commit) {
  return absl::StrCat(commit, "/decision");
}

// What anybody who sees this much of a commit may decide; nothing: not yet. To commit binds to these very votes.
struct Verdict {
  bool commit = false;
  std::vector<coord::Compare> because;
};

std::optional<Verdict> VerdictOn(const coord::SubtreeCache& cache, const std::string& commit, bool patience_is_over) {
  const std::string votes = VotesOf(commit);
  Verdict verdict{true, {}};
  bool open = false;
  for (auto it = cache.nodes().upper_bound(votes); it != cache.nodes().end() && coord::PathCovers(votes, it->first); ++it) {
    if (it->second.data == kNo) return Verdict{false, {}};
    open = open || it->second.data != kYes;
    verdict.because.push_back(coord::Compare::Mzxid(it->first, it->second.stat.mzxid));
  }
  if (!open && !verdict.because.empty()) return verdict;
  if (patience_is_over || cache.Find(CoordinatorOf(commit)) == nullptr) return Verdict{false, {}};
  return std::nullopt;
}

coord::Transaction Decide(const std::string& commit, const Verdict& verdict) {
  coord::Transaction transaction;
  transaction.compares = verdict.because;
  transaction.compares.push_back(coord::Compare::Exists(VotesOf(commit)));
  transaction.compares.push_back(coord::Compare::Absent(DecisionOf(commit)));
  transaction.then = {coord::Operation::Create(DecisionOf(commit), verdict.commit ? kCommit : kAbort)};
  return transaction;
}

bool IsOver(const absl::Status& status) {
  return coord::IsSessionExpired(status) || coord::IsOutcomeUnknown(status);
}

}  // namespace

class CommitCoordinator::Impl {
 public:
  Impl(coord::Session* session, std::string path) : session_(session), path_(std::move(path)) {}
  ~Impl() { *alive_ = false; }

  void Begin(const std::string& id, const std::vector<std::string>& participants, std::string what, base::Duration patience,
             coord::Callback<bool> done) {
    DROVER_CHECK(!participants.empty()) << "a commit has at least one participant";
    const std::string commit = absl::StrCat(path_, "/", id);
    coord::Transaction transaction;
    transaction.then = {coord::Operation::Create(commit, std::move(what), {.parents = true}),
                        coord::Operation::Create(CoordinatorOf(commit), "", {.ephemeral = true}),
                        coord::Operation::Create(VotesOf(commit), "")};
    for (const std::string& name : std::set<std::string>(participants.begin(), participants.end())) {
      transaction.then.push_back(coord::Operation::Create(VoteOf(commit, name), ""));
    }
    session_->Commit(std::move(transaction), [this, alive = alive_, commit, patience, done = std::move(done)](
                                                 const absl::StatusOr<coord::TransactionResult>& begun) mutable {
      if (!*alive) return;
      if (!begun.ok()) return done(begun.status());
      commits_[commit] = std::make_unique<One>(this, commit, patience, std::move(done));
    });
  }

 private:
  // One that is not decided yet, seen from here.
  class One final : private coord::SubtreeCache::Listener {
   public:
    One(Impl* owner, std::string commit, base::Duration patience, coord::Callback<bool> done)
        : owner_(owner),
          commit_(std::move(commit)),
          done_(std::move(done)),
          patience_(owner->session_->loop()),
          retry_(owner->session_->loop()),
          cache_(owner->session_, {.path = commit_}, this) {
      patience_.Set(patience, [this] {
        over_ = true;
        Look();
      });
    }

   private:
    void OnCacheChanged(const coord::Event* event) override {
      // All may have finished, and forgotten it, before the view shows more than the last of it.
      if (event != nullptr && event->path == DecisionOf(commit_) && event->type == coord::Event::Type::kCreated) {
        return Tell(event->data == kCommit);
      }
      Look();
    }
    void OnCacheProgress(base::Zxid /*zxid*/) override { Look(); }
    void OnCacheEnded(const absl::Status& why) override { Tell(why); }

    void Look() {
      if (!cache_.synced() || deciding_) return;
      if (const coord::Node* decision = cache_.Find(DecisionOf(commit_))) return Tell(decision->data == kCommit);
      if (cache_.Find(commit_) == nullptr) {
        return Tell(coord::RefusedError(coord::Code::kNoNode, absl::StrCat(commit_, " was forgotten before it was seen decided")));
      }
      const std::optional<Verdict> verdict = VerdictOn(cache_, commit_, over_);
      if (!verdict) return;
      deciding_ = true;
      owner_->session_->Commit(Decide(commit_, *verdict),
                               [this, alive = alive_](const absl::StatusOr<coord::TransactionResult>& decided) {
                                 if (!*alive) return;
                                 deciding_ = false;
                                 if (IsOver(decided.status())) return;
                                 retry_.Set(kRetryDelay, [this] { Look(); });
                               });
    }

    void Tell(absl::StatusOr<bool> decided) {
      coord::Callback<bool> done = std::move(done_);
      owner_->Forget(commit_);  // destroys this
      done(std::move(decided));
    }

   public:
    ~One() { *alive_ = false; }

   private:
    Impl* const owner_;
    const std::string commit_;
    coord::Callback<bool> done_;
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    bool over_ = false;
    bool deciding_ = false;
    base::Timer patience_;
    base::Timer retry_;
    coord::SubtreeCache cache_;
  };

  void Forget(std::string commit) {  // NOLINT: a copy, as what it names goes
    const auto found = commits_.find(commit);
    const std::unique_ptr<One> gone = std::move(found->second);
    commits_.erase(found);
  }

  coord::Session* const session_;
  const std::string path_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::map<std::string, std::unique_ptr<One>> commits_;
};

CommitCoordinator::CommitCoordinator(coord::Session* session, std::string path)
    : impl_(std::make_unique<Impl>(session, std::move(path))) {}
CommitCoordinator::~CommitCoordinator() = default;

void CommitCoordinator::Begin(const std::string& id, const std::vector<std::string>& participants, std::string what,
                              base::Duration patience, coord::Callback<bool> done) {
  impl_->Begin(id, participants, std::move(what), patience, std::move(done));
}

class CommitParticipant::Impl final : private coord::SubtreeCache::Listener {
 public:
  Impl(coord::Session* session, CommitParticipantOptions options, CommitParticipantObserver* observer)
      : session_(session),
        options_(std::move(options)),
        observer_(observer),
        retry_(session->loop()),
        cache_(session, {.path = options_.path}, this) {}
  ~Impl() { *alive_ = false; }

  void Vote(const std::string& id, bool yes, coord::DoneCallback done) {
    const std::string commit = CommitOf(id);
    session_->Commit(
        {.compares = {coord::Compare::Absent(DecisionOf(commit))},
         .then = {coord::Operation::Set(VoteOf(commit, options_.name), yes ? kYes : kNo)},
         .otherwise = {}},
        [alive = alive_, id, done = std::move(done)](const absl::StatusOr<coord::TransactionResult>& voted) mutable {
          if (!*alive) return;
          if (!voted.ok()) return done(voted.status());
          done(voted->succeeded ? absl::OkStatus() : absl::FailedPreconditionError(absl::StrCat(id, " is decided already")));
        });
  }

  // The last one forgets it all. Whether it is the last one the service says.
  void Finish(const std::string& id, coord::DoneCallback done) {
    const std::string commit = CommitOf(id);
    const auto told = told_.find(id);
    if (told == told_.end() || told->second != Told::kDecided) {
      return session_->loop()->Post([alive = alive_, id, done = std::move(done)]() mutable {
        if (*alive) done(absl::FailedPreconditionError(absl::StrCat(id, " is not decided, as far as is known here")));
      });
    }
    const std::string vote = VoteOf(commit, options_.name);
    session_->Commit({.compares = {coord::Compare::Exists(vote), coord::Compare::NumChildren(VotesOf(commit), 1)},
                      .then = {coord::Operation::Check(DecisionOf(commit)), coord::Operation::DeleteSubtree(commit)},
                      .otherwise = {coord::Operation::Check(DecisionOf(commit)), coord::Operation::Delete(vote)}},
                     [alive = alive_, done = std::move(done)](const absl::StatusOr<coord::TransactionResult>& finished) mutable {
                       if (!*alive) return;
                       done(coord::IsNoNode(finished.status()) ? absl::OkStatus() : finished.status());
                     });
  }

 private:
  enum class Told { kPrepare, kDecided };

  [[nodiscard]] std::string CommitOf(const std::string& id) const { return absl::StrCat(options_.path, "/", id); }

  void OnCacheChanged(const coord::Event* event) override {
    if (event == nullptr) return LookAtAll();
    if (event->path.size() <= options_.path.size()) return;
    const std::size_t begin = options_.path.size() + 1;
    Look(event->path.substr(begin, event->path.find('/', begin) - begin));
  }
  void OnCacheEnded(const absl::Status& why) override {
    retry_.Cancel();
    observer_->OnParticipantEnded(why);
  }

  void LookAtAll() {
    if (!cache_.synced()) return;
    std::vector<std::string> ids;
    for (auto it = cache_.nodes().upper_bound(options_.path); it != cache_.nodes().end(); ++it) {
      if (!coord::PathCovers(options_.path, it->first)) break;
      std::string id = it->first.substr(options_.path.size() + 1);
      if (!absl::StrContains(id, '/')) ids.push_back(std::move(id));
    }
    const std::shared_ptr<bool> alive = alive_;
    for (const std::string& id : ids) {
      Look(id);
      if (!*alive) return;
    }
  }

  // Tells what is new, each once in this object's life.
  void Look(const std::string& id) {
    if (!cache_.synced()) return;
    const std::string commit = CommitOf(id);
    const coord::Node* const asked = cache_.Find(commit);
    const coord::Node* const vote = cache_.Find(VoteOf(commit, options_.name));
    if (asked == nullptr || vote == nullptr) {
      told_.erase(id);
      return;
    }
    if (const coord::Node* const decision = cache_.Find(DecisionOf(commit))) {
      if (told_[id] != Told::kDecided) {
        told_[id] = Told::kDecided;
        const bool commits = decision->data == kCommit;
        return observer_->OnDecided(id, commits);
      }
      return;
    }
    if (const std::optional<Verdict> verdict = VerdictOn(cache_, commit, /*patience_is_over=*/false)) return Propose(id, *verdict);
    if (vote->data.empty() && told_.emplace(id, Told::kPrepare).second) {
      const std::string what = asked->data;
      observer_->OnPrepare(id, what);
    }
  }

  void Propose(const std::string& id, const Verdict& verdict) {
    if (!deciding_.insert(id).second) return;
    session_->Commit(Decide(CommitOf(id), verdict),
                     [this, alive = alive_, id](const absl::StatusOr<coord::TransactionResult>& decided) {
                       if (!*alive) return;
                       deciding_.erase(id);
                       if (!IsOver(decided.status())) retry_.Set(kRetryDelay, [this] { LookAtAll(); });
                     });
  }

  coord::Session* const session_;
  const CommitParticipantOptions options_;
  CommitParticipantObserver* const observer_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::map<std::string, Told> told_;
  std::set<std::string> deciding_;
  base::Timer retry_;
  coord::SubtreeCache cache_;
};

CommitParticipant::CommitParticipant(coord::Session* session, CommitParticipantOptions options, CommitParticipantObserver* observer)
    : impl_(std::make_unique<Impl>(session, std::move(options), observer)) {}
CommitParticipant::~CommitParticipant() = default;

void CommitParticipant::Vote(const std::string& id, bool yes, coord::DoneCallback done) {
  impl_->Vote(id, yes, std::move(done));
}
void CommitParticipant::Finish(const std::string& id, coord::DoneCallback done) {
  impl_->Finish(id, std::move(done));
}

}  // namespace drover::recipes
