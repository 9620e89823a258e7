#include "coord/transport/grpc_dialer.h"

#include <utility>

#include "coord/transport/link.h"
#include "coord/transport/stream_call.h"
#include "grpcpp/generic/generic_stub.h"

namespace drover::transport {
namespace {

class ClientStreamCall final : public StreamCall {
 public:
  ClientStreamCall(CqLoop::Impl* loop, const std::string& address, const std::string& method, const LinkOptions& options,
                   const Metadata& metadata)
      : StreamCall(loop, options.receive_bytes_max, options.linger),
        channel_(OpenLink(address, options)),
        start_op_(this, &ClientStreamCall::OnStarted),
        half_close_op_(this, &ClientStreamCall::OnHalfClosed),
        finish_op_(this, &ClientStreamCall::OnFinished) {
    AddMetadata(metadata, &context_);
    stream_ = grpc::GenericStub(channel_).PrepareCall(&context_, method, loop->queue());
    stream_->StartCall(start_op_.Begin());
    ReadNext();
  }

  void Cut() override { context_.TryCancel(); }

 private:
  void StartRead(grpc::ByteBuffer* into, void* tag) override { stream_->Read(into, tag); }

  void StartWrite(const grpc::ByteBuffer& frame, void* tag) override { stream_->Write(frame, tag); }

  void StartEnd() override { stream_->WritesDone(half_close_op_.Begin()); }

  void OnStarted(bool ok) {
    if (ok) Open();
  }
  void OnHalfClosed(bool /*ok*/) {}

  void OnReadEnded() override {
    DropOutbox();
    stream_->Finish(&status_, finish_op_.Begin());
  }

  void Refuse(const absl::Status& /*why*/) override {
    Cut();
    ReadNext();  // comes back empty and leads to Finish
  }

  void OnFinished(bool /*ok*/) {}

  End HowItEnded() override {
    if (!refusal().ok()) return {base::CloseCause::kLocal, refusal()};
    const absl::Status status = ToAbsl(status_);
    if (status.ok()) return {closing() ? base::CloseCause::kLocal : base::CloseCause::kPeerClosed, status};
    if (EndedByServer(context_)) return {base::CloseCause::kPeerClosed, status};
    switch (status.code()) {
      case absl::StatusCode::kUnavailable:
        return {base::CloseCause::kPeerGone, status};
      case absl::StatusCode::kInternal:
      case absl::StatusCode::kResourceExhausted:
        return {base::CloseCause::kLocal, status};
      default:
        return {base::CloseCause::kPeerClosed, status};
    }
  }

  const std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  grpc::Status status_;
  Op start_op_;
  Op half_close_op_;
  Op finish_op_;
};

}  // namespace

GrpcDialer::GrpcDialer(CqLoop* loop, std::string method, LinkOptions options, Metadata metadata)
    : loop_(loop), method_(std::move(method)), options_(options), metadata_(std::move(metadata)) {}

GrpcDialer::~GrpcDialer() = default;

std::unique_ptr<base::Connection> GrpcDialer::Dial(const std::string& address, base::ConnectionEvents* events) {
  auto* const call = new ClientStreamCall(loop_->impl(), address, method_, options_, metadata_);  // owns itself
  call->SetEvents(events);
  return call->MakeConnection();
}

}  // namespace drover::transport
