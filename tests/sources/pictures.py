# Pictures of every kind that is read, written by Pillow, each beside the pixels that Pillow reads from it again.
# Usage: pictures.py FOLDER. Writes NAME.EXT and NAME.rgb, and list.json with [file, width, height].
import json
import os
import sys

import numpy as np
from PIL import Image

folder = sys.argv[1]
sizes = []
y, x = np.mgrid[0:38, 0:54]
hard = np.stack([x * 4 % 256, y * 6 % 256, (x * y) % 256], -1).astype(np.uint8)
noise = np.random.RandomState(1).rand(6, 8, 3) * 255
soft = Image.fromarray(noise.astype(np.uint8)).resize((160, 120), Image.BICUBIC)
sharp = Image.fromarray(hard)
alpha = Image.fromarray(np.dstack([hard, (x * 5 % 256).astype(np.uint8)]))
palette = sharp.convert("P")


def write(file, image, upright=False, **options):
    path = os.path.join(folder, file)
    image.save(path, **options)
    with Image.open(path) as again:
        if upright:
            from PIL import ImageOps
            again = ImageOps.exif_transpose(again)
        pixels = again.convert("RGB")
        with open(path.rsplit(".", 1)[0] + ".rgb", "wb") as out:
            out.write(pixels.tobytes())
        sizes.append([file, pixels.width, pixels.height])


write("rgb.png", sharp)
write("alpha.png", alpha)
write("grey.png", sharp.convert("L"))
write("grey_alpha.png", sharp.convert("LA"))
write("palette.png", palette)
write("palette_hole.png", palette, transparency=5)
write("bits.png", sharp.convert("1"))
write("rgb.bmp", sharp)
write("palette.bmp", palette)
write("grey.bmp", sharp.convert("L"))
write("still.gif", palette)
write("moving.gif", palette, save_all=True, append_images=[palette.transpose(Image.FLIP_TOP_BOTTOM)], duration=50)
write("hole.gif", palette, transparency=5)
write("lossless.webp", sharp, lossless=True)
write("lossless_alpha.webp", alpha, lossless=True, exact=True)
write("lossy_full.jpg", soft, quality=90, subsampling=0)
write("lossy_half.jpg", soft, quality=90, subsampling=1)
write("lossy_quarter.jpg", soft, quality=90, subsampling=2)
write("lossy_progressive.jpg", soft, quality=90, progressive=True)
write("lossy_grey.jpg", soft.convert("L"), quality=90)
write("lossy_cmyk.jpg", soft.convert("CMYK"), quality=90)
write("lossy.webp", soft, quality=90)
soft_alpha = soft.copy()
soft_alpha.putalpha(200)
write("lossy_alpha.webp", soft_alpha, quality=90)
odd = soft.crop((0, 0, 101, 67))
for subsampling in range(3):
    write("lossy_odd_%d.jpg" % subsampling, odd, quality=90, subsampling=subsampling)
    write("lossy_sharp_%d.jpg" % subsampling, sharp.crop((0, 0, 53, 37)), quality=85, subsampling=subsampling)
    write("lossy_small_%d.jpg" % subsampling, sharp.crop((20, 20, 23, 25)), quality=95, subsampling=subsampling)
write("lossy_rgb.jpg", soft, quality=90, keep_rgb=True)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    write("lossy_turned_%d.jpg" % orientation, soft, upright=True, exif=exif, quality=95)

with open(os.path.join(folder, "list.json"), "w") as out:
    json.dump(sizes, out)
