#include "coord/transport/reflection.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "coord/base/wire.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"

namespace drover::transport {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

// Field numbers of grpc.reflection.v1alpha.
enum RequestField {
  kFileByFilename = 3,
  kFileContainingSymbol = 4,
  kFileContainingExtension = 5,
  kExtensionNumbers = 6,
  kListServices = 7
};
enum ResponseField {
  kValidHost = 1,
  kOriginalRequest = 2,
  kFileDescriptorResponse = 4,
  kListServicesResponse = 6,
  kErrorResponse = 7
};

// The file and all it imports, each once, imports after those who want them.
void WriteFiles(const FileDescriptor* file, base::WireWriter* out) {
  std::vector<const FileDescriptor*> files{file};
  for (std::size_t i = 0; i < files.size(); ++i) {
    google::protobuf::FileDescriptorProto proto;
    files[i]->CopyTo(&proto);
    out->BytesAlways(1, proto.SerializeAsString());
    for (int d = 0; d < files[i]->dependency_count(); ++d) {
      const FileDescriptor* const wanted = files[i]->dependency(d);
      if (std::find(files.begin(), files.end(), wanted) == files.end()) files.push_back(wanted);
    }
  }
}

void WriteError(absl::StatusCode code, const std::string& message, base::WireWriter* out) {
  const std::size_t error = out->Open(kErrorResponse);
  out->Varint(1, static_cast<std::uint64_t>(code));
  out->Bytes(2, message);
  out->Close(error);
}

}  // namespace

class ReflectionService::Stream final : public base::ConnectionEvents {
 public:
  Stream(ReflectionService* service, std::unique_ptr<base::Connection> connection)
      : service_(service), connection_(std::move(connection)) {}
  void OnFrame(base::Bytes frame) override {
    // Who asks without reading the answers asks too much.
    if (connection_->queued_bytes() > (4u << 20)) {
      connection_->Close(absl::ResourceExhaustedError("read the answers"));
      return;
    }
    connection_->Send(service_->Answer(frame));
  }
  void OnClosed(base::CloseCause /*cause*/, const absl::Status& /*status*/) override { service_->streams_.erase(this); }
  void Close() { connection_->Close(absl::UnavailableError("this server stops")); }

 private:
  ReflectionService* const service_;
  const std::unique_ptr<base::Connection> connection_;
};

ReflectionService::ReflectionService() = default;
ReflectionService::~ReflectionService() = default;

void ReflectionService::Register(Server* server) {
  server->RegisterStream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                         [this](std::unique_ptr<base::Connection> connection, const CallInfo&) -> base::ConnectionEvents* {
                           auto stream = std::make_unique<Stream>(this, std::move(connection));
                           Stream* const events = stream.get();
                           streams_[events] = std::move(stream);
                           return events;
                         });
}

void ReflectionService::CloseStreams() {
  for (const auto& [stream, owned] : streams_) stream->Close();
}

base::Bytes ReflectionService::Answer(const base::Bytes& request) const {
  std::string encoded;
  base::WireWriter out(&encoded);
  out.Bytes(kOriginalRequest, request.view());

  std::uint32_t asked = 0;
  std::string argument;
  std::string host;
  base::WireReader in(request.view());
  while (in.Next()) {
    if (in.type() != base::WireType::kBytes) continue;
    if (in.field() == kValidHost) {
      host = std::string(in.bytes());
    } else if (in.field() >= kFileByFilename && in.field() <= kListServices) {
      asked = in.field();
      argument = std::string(in.bytes());
    }
  }
  out.Bytes(kValidHost, host);

  const FileDescriptor* file = nullptr;
  switch (asked) {
    case kListServices: {
      const std::size_t list = out.Open(kListServicesResponse);
      for (const std::string& service : services_) {
        const std::size_t entry = out.Open(1);
        out.Bytes(1, service);
        out.Close(entry);
      }
      out.Close(list);
      return base::Bytes::Adopt(std::move(encoded));
    }
    case kFileByFilename:
      file = DescriptorPool::generated_pool()->FindFileByName(argument);
      break;
    case kFileContainingSymbol:
      file = DescriptorPool::generated_pool()->FindFileContainingSymbol(argument);
      break;
    case kFileContainingExtension:
    case kExtensionNumbers:  // proto3 has none
      WriteError(absl::StatusCode::kNotFound, "no extensions here", &out);
      return base::Bytes::Adopt(std::move(encoded));
    default:
      WriteError(absl::StatusCode::kInvalidArgument, "not a ServerReflectionRequest", &out);
      return base::Bytes::Adopt(std::move(encoded));
  }
  if (file == nullptr) {
    WriteError(absl::StatusCode::kNotFound, absl::StrCat("no ", argument, " here"), &out);
  } else {
    const std::size_t files = out.Open(kFileDescriptorResponse);
    WriteFiles(file, &out);
    out.Close(files);
  }
  return base::Bytes::Adopt(std::move(encoded));
}

}  // namespace drover::transport
