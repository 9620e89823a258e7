// Internal: messages as bytes, the same bytes for the same message everywhere (maps are written in the order of their keys).
#ifndef DROVER_MASTER_RECORDS_ENCODE_H_
#define DROVER_MASTER_RECORDS_ENCODE_H_

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message_lite.h>

#include <string>

namespace drover::records {

inline std::string EncodeDeterministically(const google::protobuf::MessageLite& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_ENCODE_H_
