#include "coord/process/version.h"

#include "client/cli/app.h"
#include "client/cli/exit_code.h"

namespace drover::cli {

void AddVersionCommand(process::OptionSet* root, Commands* commands) {
  process::OptionSet& options = root->Command("version", "Shows what this build is");
  commands->push_back({&options, [](const App& app) {
                         Item item;
                         item.id = process::Version();
                         item.json = {{"version", process::Version()},
                                      {"commit", process::Commit()},
                                      {"build_type", process::BuildType()},
                                      {"wire_version", process::kWireVersion},
                                      {"disk_version", process::kDiskVersion}};
                         app.output.Line(process::VersionLine("drover"), item);
                         return static_cast<int>(kOk);
                       }});
}

}  // namespace drover::cli
