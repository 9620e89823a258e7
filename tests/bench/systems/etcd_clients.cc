#include "tests/bench/systems/etcd_clients.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/transport/message_bytes.h"
#include "etcd.pb.h"

namespace drover::bench {
namespace {

// The answer is decoded, as any client would.
absl::Status Judge(Operation operation, const absl::StatusOr<base::Bytes>& answer) {
  if (!answer.ok()) return answer.status();
  if (operation == Operation::kCreate || operation == Operation::kSet) {
    return transport::Decode<etcdserverpb::PutResponse>(*answer).status();
  }
  const absl::StatusOr<etcdserverpb::RangeResponse> range = transport::Decode<etcdserverpb::RangeResponse>(*answer);
  if (!range.ok()) return range.status();
  if (range->kvs_size() != 1) return absl::NotFoundError("etcd has no such key");
  return absl::OkStatus();
}

}  // namespace

EtcdClients::EtcdClients(const std::vector<std::string>& addresses, int count, int first) {
  thread_.RunOnLoop([&] {
    for (int i = 0; i < count; ++i) {
      clients_.push_back({addresses[static_cast<std::size_t>(first + i) % addresses.size()],
                          std::make_unique<transport::UnaryClient>(thread_.loop())});
    }
  });
}

EtcdClients::~EtcdClients() {
  thread_.RunOnLoop([this] {
    slots_.clear();
    clients_.clear();
  });
}

void EtcdClients::Run(int /*client*/, absl::AnyInvocable<void()> task) {
  thread_.loop()->PostFromAnyThread(std::move(task));
}

void EtcdClients::Issue(int client, Operation operation, const std::string& key, const std::string& value, Done done) {
  base::Bytes request;
  absl::string_view method;
  if (operation == Operation::kCreate || operation == Operation::kSet) {
    etcdserverpb::PutRequest put;
    put.set_key(key);
    put.set_value(value);
    request = transport::Encode(put);
    method = "/etcdserverpb.KV/Put";
  } else {
    etcdserverpb::RangeRequest range;
    range.set_key(key);
    range.set_serializable(operation == Operation::kLocalGet);
    request = transport::Encode(range);
    method = "/etcdserverpb.KV/Range";
  }
  if (free_.empty()) {
    free_.push_back(slots_.size());
    slots_.emplace_back();
  }
  const std::size_t slot = free_.back();
  free_.pop_back();
  slots_[slot].done = std::move(done);
  slots_[slot].operation = operation;
  transport::CallOptions options;
  options.timeout = base::Duration::zero();  // etcd ends what it cannot do by itself
  const Client& c = clients_[static_cast<std::size_t>(client)];
  slots_[slot].call = c.unary->Call(c.address, std::string(method), std::move(request), std::move(options),
                                    [this, slot](absl::StatusOr<base::Bytes> answer) { OnAnswer(slot, std::move(answer)); });
}

void EtcdClients::OnAnswer(std::size_t slot, absl::StatusOr<base::Bytes> answer) {
  const absl::Status status = Judge(slots_[slot].operation, answer);
  Done done = std::exchange(slots_[slot].done, nullptr);
  slots_[slot].call.reset();
  free_.push_back(slot);
  done(status);
}

}  // namespace drover::bench
