#include "coord/tree/stat.h"

namespace drover::coord::tree {

void Stat::AppendFields(base::WireWriter* out) const {
  out->Varint(1, czxid.value);
  out->Varint(2, mzxid.value);
  out->Varint(3, pzxid.value);
  out->Signed(4, ctime.value);
  out->Signed(5, mtime.value);
  out->Varint(6, version);
  out->Varint(7, cversion);
  out->Varint(8, aversion);
  out->Varint(9, ephemeral_owner.value);
  out->Varint(10, data_length);
  out->Varint(11, num_children);
  out->Varint(12, container ? 1 : 0);
  out->Varint(13, ttl_ms);
}

}  // namespace drover::coord::tree
