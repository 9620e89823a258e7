// Sessions as the log knows them: identity, numbering of writes, kept answers. Liveness is the leader's affair (coord/server); here
// a session ends by a command and by nothing else.
//
// Numbering. A write is applied only if its number is the session's last one plus 1. One at or below it is answered from the kept
// answers, so a retry through any node gets its first answer. The client's seen mark lets answers go; none is dropped before.
// Threads: one.
#ifndef DROVER_COORD_TREE_SESSIONS_H_
#define DROVER_COORD_TREE_SESSIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "coord/base/bytes.h"
#include "coord/base/ids.h"
#include "coord/tree/acl.h"
#include "coord/tree/image.h"
#include "coord/tree/options.h"

namespace drover::coord::tree {

// What becomes of a numbered write.
enum class Turn {
  kApply,       // it is the next one
  kKept,        // it was applied before: the kept answer
  kForgotten,   // it was applied, and the client said that it saw the answer: OUT_OF_ORDER
  kOutOfOrder,  // one before it is missing: without effect
  kWindowFull,  // too much is unseen: without effect, and the number is not used up
};

class Session {
 public:
  using Secret = std::array<char, 16>;
  // What a kept answer counts for besides its encoding.
  static constexpr std::size_t kAnswerBytes = 32;

  [[nodiscard]] base::SessionId id() const { return id_; }  // the zxid of its opening
  [[nodiscard]] absl::string_view secret() const { return {secret_.data(), secret_.size()}; }
  // Compares in a time that does not depend on the contents.
  [[nodiscard]] bool SecretIs(absl::string_view secret) const;
  [[nodiscard]] std::uint32_t timeout_ms() const { return timeout_ms_; }
  [[nodiscard]] std::uint32_t disconnect_grace_ms() const { return disconnect_grace_ms_; }  // 0: none asked for
  [[nodiscard]] const std::string& name() const { return name_; }
  // Where it was opened from: bytes of an IP address; empty: not known, or none.
  [[nodiscard]] const std::string& address() const { return address_; }
  // What it has proved to be.
  [[nodiscard]] const std::vector<Identity>& identities() const { return identities_; }
  [[nodiscard]] bool HasProved(const Identity& identity) const;

  [[nodiscard]] std::uint64_t last_write() const { return last_write_; }  // number of the last write applied
  [[nodiscard]] std::uint64_t seen() const { return seen_; }              // answers up to here are forgotten
  [[nodiscard]] std::size_t kept_bytes() const { return kept_bytes_; }

  // Judges `number` (not 0). Changes nothing.
  [[nodiscard]] Turn Judge(std::uint64_t number, const Options& options) const;
  // The answer to a write judged kKept.
  [[nodiscard]] const base::Bytes& KeptAnswer(std::uint64_t number) const;

  // Applies a seen mark: forgets the answers up to it. One beyond the last write counts as the last write, an old one is ignored.
  void See(std::uint64_t seen);
  // Write `last_write() + 1` was answered.
  void Keep(base::Bytes answer);
  // It has proved to be this, too. Nothing new if it has before.
  void Add(const Identity& identity);

 private:
  friend class SessionTable;
  base::SessionId id_;
  Secret secret_{};
  std::uint32_t timeout_ms_ = 0;
  std::uint32_t disconnect_grace_ms_ = 0;
  std::string name_;
  std::string address_;
  std::vector<Identity> identities_;
  std::uint64_t last_write_ = 0;
  std::uint64_t seen_ = 0;
  // Answers to seen_ + 1 .. last_write_ are kept_[kept_head_ ...]; what is before kept_head_ is empty.
  std::vector<base::Bytes> kept_;
  std::size_t kept_head_ = 0;
  std::size_t kept_bytes_ = 0;
  ImageNumber image_ = 0;  // the newest that has it, or that it is too new for
};

// A session as a snapshot has it; views into its bytes.
struct SessionState {
  base::SessionId id;
  Session::Secret secret{};
  std::uint32_t timeout_ms = 0;
  std::uint32_t disconnect_grace_ms = 0;
  absl::string_view name;
  absl::string_view address;
  std::vector<Identity> identities;
  std::uint64_t seen = 0;
  std::vector<absl::string_view> kept_answers;  // to the writes from seen + 1 on
};

class SessionTable {
 public:
  using Map = absl::btree_map<base::SessionId, std::unique_ptr<Session>>;

  // Null where there is none: it has ended, or never was. A pointer is good until the session ends.
  [[nodiscard]] const Session* Find(base::SessionId id) const;
  // To change it.
  [[nodiscard]] Session* Find(base::SessionId id);
  [[nodiscard]] std::size_t size() const { return sessions_.size(); }
  // By id, so by age.
  [[nodiscard]] const Map& all() const { return sessions_; }

  // `id` must be new; the time-out must be clamped already.
  Session* Open(base::SessionId id, const Session::Secret& secret, std::uint32_t timeout_ms, std::uint32_t disconnect_grace_ms,
                absl::string_view name, absl::string_view address = {});
  void Remove(base::SessionId id);

  // Of a snapshot. False if there is one of that id already.
  bool Restore(const SessionState& state);

  // From here until EndImage `sink` is told of each session that is there now, as it is now: before it can be changed, or when Save
  // is called for it. One image at a time.
  void BeginImage(ImageSink* sink);
  void EndImage();
  // Tells the sink of `session`, if it belongs to the image and was not told of yet.
  void Save(const Session& session);

 private:
  Map sessions_;
  ImageNumber image_ = 0;
  ImageSink* image_sink_ = nullptr;
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_SESSIONS_H_
