/* Decoders of libavcodec as GStreamer elements of our own: "ortlavc_h264", "ortlavc_h265", "ortlavc_vp8". gstreamer1.0-libav
 * has the same decoders, but its pictures, which the decoder goes on referring to, are copied before they come out (its base
 * class makes them writable), a sixth of the cost of decoding. Here a buffer is the decoder's own picture.
 * The library is loaded when the process starts, like a plug-in; where it is missing (or of another ABI than the headers it
 * was built with) the elements are not there, and the next row of elements.def serves. */
#pragma once

void mix_lavc_register(void);	/* after gst_init(), before the ranks are asked for; again = nothing. Control thread */
