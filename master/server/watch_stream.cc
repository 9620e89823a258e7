#include "master/server/watch_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/transport/message_bytes.h"
#include "master/records/codec.h"
#include "master/server/task_message.h"
#include "master/server/task_service.h"

namespace drover::master::server {
namespace {

constexpr std::size_t kQueuedBytesMax = std::size_t{1} << 20;
constexpr std::size_t kFrameBytes = std::size_t{256} << 10;

}  // namespace

WatchStream::WatchStream(base::Loop* loop, Master* master, const task::v1::WatchRequest& request,
                         std::unique_ptr<base::Connection> connection, std::function<void()> on_done)
    : loop_(loop), master_(master), connection_(std::move(connection)), on_done_(std::move(on_done)) {
  if (request.ids_size() > static_cast<int>(kIdsMax)) {
    End(absl::ResourceExhaustedError(absl::StrCat(request.ids_size(), " tasks in one watch, at most ", kIdsMax)));
    return;
  }
  open_.insert(request.ids().begin(), request.ids().end());
  due_ = open_;
  for (const std::string& id : open_) master_->Listen(id, this);
  master_->AwaitView(base::Zxid(request.seen_zxid()), [this, alive = alive_](const absl::Status& status) {
    if (!*alive || closed_) return;
    if (!status.ok()) return End(status);
    started_ = true;
    Wake();
  });
}

WatchStream::~WatchStream() {
  *alive_ = false;
  for (const std::string& id : open_) master_->Unlisten(id, this);
}

void WatchStream::OnTaskChanged(const std::string& id) {
  due_.insert(id);
  Wake();
}

void WatchStream::OnServiceEnded() {
  End(NotServing());
}

void WatchStream::Wake() {
  if (posted_ || closed_) return;
  posted_ = true;
  loop_->Post([this, alive = alive_] {
    if (!*alive) return;
    posted_ = false;
    Flush();
  });
}

void WatchStream::Flush() {
  if (closed_ || !started_ || connection_->queued_bytes() > kQueuedBytesMax) return;
  if (!master_->serving()) return End(NotServing());
  const state::View& view = master_->view();
  task::v1::WatchResponse response;
  std::size_t bytes = 0;
  while (!due_.empty() && bytes < kFrameBytes) {
    const std::string id = *due_.begin();
    due_.erase(due_.begin());
    const state::TaskView* task = view.Find(id);
    if (task == nullptr) {
      auto element = ToElement(id, view);
      if (!element.has_value()) {
        missing_.insert(id);
        continue;
      }
      missing_.erase(id);
      if (records::IsTerminal(element->state())) {
        open_.erase(id);
        master_->Unlisten(id, this);
      }
      *response.add_tasks() = *std::move(element);
      bytes += id.size() + 256;
      continue;
    }
    missing_.erase(id);
    *response.add_tasks() = ToTask(*task, view);
    bytes += task->record.size() + id.size() + 64;
    if (records::IsTerminal(task->state)) {
      open_.erase(id);
      master_->Unlisten(id, this);
    }
  }
  if (response.tasks_size() > 0) {
    response.set_zxid(view.zxid().value);
    connection_->Send(transport::Encode(response));
  }
  if (!due_.empty()) return Wake();
  if (open_.empty()) return End(absl::OkStatus());
  if (!missing_.empty()) ConfirmMissing();
}

void WatchStream::ConfirmMissing() {
  if (confirming_) return;
  confirming_ = true;
  const std::set<std::string> asked = missing_;
  master_->Confirm([this, alive = alive_, asked](const absl::Status& status) {
    if (!*alive || closed_) return;
    confirming_ = false;
    if (!status.ok()) return End(status);
    if (!master_->serving()) return End(NotServing());
    task::v1::WatchResponse response;
    for (const std::string& id : asked) {
      if (master_->view().Find(id) != nullptr || ToElement(id, master_->view()).has_value()) continue;
      missing_.erase(id);
      response.add_not_found(id);
      open_.erase(id);
      master_->Unlisten(id, this);
    }
    if (response.not_found_size() > 0) {
      response.set_zxid(master_->view().zxid().value);
      connection_->Send(transport::Encode(response));
    }
    Wake();
  });
}

void WatchStream::End(const absl::Status& status) {
  if (closed_) return;
  closed_ = true;
  connection_->Close(status);
}

void WatchStream::OnClosed(base::CloseCause, const absl::Status&) {
  closed_ = true;
  loop_->Post(on_done_);
}

}  // namespace drover::master::server
