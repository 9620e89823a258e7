// Protobuf messages to and from the bytes that transport carries.
#ifndef DROVER_COORD_TRANSPORT_MESSAGE_BYTES_H_
#define DROVER_COORD_TRANSPORT_MESSAGE_BYTES_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "coord/base/bytes.h"

namespace drover::transport {

template <typename Message>
base::Bytes Encode(const Message& message) {
  std::string out;
  message.SerializeToString(&out);
  return base::Bytes::Adopt(std::move(out));
}

template <typename Message>
absl::StatusOr<Message> Decode(const base::Bytes& bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.view().data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError(absl::StrCat("not a ", std::string(Message::descriptor()->full_name())));
  }
  return message;
}

}  // namespace drover::transport

#endif  // DROVER_COORD_TRANSPORT_MESSAGE_BYTES_H_
