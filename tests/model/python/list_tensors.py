# The tensors of every released checkpoint in true size, as JSON: {"v6.0 7b": {name: shape}}. Needs no packages.
import json
import releases

print(json.dumps({
    f"{version} {size}": {
        name: shape
        for table in releases.release(version, "true", size).values()
        for name, (shape, *_) in table.items()
    }
    for version, (_, _, _, sizes) in releases.RELEASES.items()
    for size in sizes
}))
