// One change of one node, encoded once for all who watch.
//
// The bytes are those of a drover.coord.v1.Event: first zxid, ordinal, type, path and stat, then data, so that the event without
// data is a prefix of it; watch_ids differ from stream to stream and are appended behind (fields of a message may come in any
// order). Immutable; copying shares the bytes. All events of a transaction lie in one allocation.
#ifndef DROVER_COORD_TREE_EVENT_H_
#define DROVER_COORD_TREE_EVENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "coord/base/bytes.h"
#include "coord/base/ids.h"
#include "coord/tree/acl.h"
#include "coord/tree/code.h"
#include "coord/tree/stat.h"
#include "coord/tree/views.h"

namespace drover::coord::tree {

// The lists that say who may be told of a change. Null: the open one.
struct EventAcls {
  std::shared_ptr<const Acl> node;    // after the change
  std::shared_ptr<const Acl> parent;  // of a creation or deletion, which is the parent's affair too
};

class Event {
 public:
  Event(Position position, EventType type, base::SessionId session, base::Bytes encoded, std::size_t plain_size,
        absl::string_view path, EventAcls acls)
      : encoded_(std::move(encoded)),
        path_(path),
        acls_(std::move(acls)),
        plain_size_(plain_size),
        position_(position),
        session_(session),
        type_(type) {}

  [[nodiscard]] Position position() const { return position_; }
  [[nodiscard]] EventType type() const { return type_; }
  [[nodiscard]] absl::string_view path() const { return path_; }
  // Whose write it was. 0: a unary one.
  [[nodiscard]] base::SessionId session() const { return session_; }
  // `watcher` may read the node, or the one above it.
  [[nodiscard]] bool NodeMayBeRead(const Asker& watcher) const { return Grants(acls_.node, watcher); }
  [[nodiscard]] bool ParentMayBeRead(const Asker& watcher) const { return Grants(acls_.parent, watcher); }
  // False: everybody may.
  [[nodiscard]] bool restricted() const { return acls_.node != nullptr || acls_.parent != nullptr; }
  // Fields of the Event message, without watch_ids.
  [[nodiscard]] absl::string_view encoded(bool with_data) const {
    return with_data ? encoded_.view() : encoded_.view().substr(0, plain_size_);
  }

 private:
  static bool Grants(const std::shared_ptr<const Acl>& acl, const Asker& watcher) {
    return acl == nullptr || acl->Grants(Permission::kRead, watcher);
  }

  base::Bytes encoded_;
  absl::string_view path_;  // within encoded_
  EventAcls acls_;
  std::size_t plain_size_;
  Position position_;
  base::SessionId session_;
  EventType type_;
};

// The events of one transaction while it is applied. Reused from one transaction to the next.
class EventRecorder {
 public:
  void Begin(base::Zxid zxid, base::SessionId session);
  // `data` of a deletion is not kept.
  void Add(EventType type, absl::string_view path, const Stat& stat, absl::string_view data, EventAcls acls = {});
  // Forgets what was added since Begin.
  void Rollback();
  // The events, valid until the next Begin; their bytes for as long as a copy lives.
  [[nodiscard]] absl::Span<const Event> Finish();

 private:
  struct Draft {
    std::size_t begin, plain_size, end;
    std::size_t path_at, path_size;
    EventType type;
    EventAcls acls;
  };

  base::Zxid zxid_;
  base::SessionId session_;
  std::string scratch_;
  std::vector<Draft> drafts_;
  std::vector<Event> events_;
};

// Appends a ServerFrame.items field holding the event for one stream (`watch_ids`: at least one).
void AppendEventItem(const Event& event, bool with_data, absl::Span<const std::uint64_t> watch_ids, std::string* frame);

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_EVENT_H_
